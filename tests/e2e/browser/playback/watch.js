/** Play one file as a person would: a second from the beginning, two jumps, and the end. Resolves to what was seen and
 * heard; rejects with what the browser says is the matter. */
async ([source, white, file]) => {
  const video = document.createElement("video");
  video.preload = "auto";
  document.body.replaceChildren(video);
  const failed = new Promise((_, reject) =>
    video.addEventListener("error", () => reject(new Error(`code ${video.error?.code} ${video.error?.message}`))),
  );
  const within = (seconds, what, promise) =>
    Promise.race([
      promise,
      failed,
      new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what} in ${seconds} s`)), seconds * 1000)),
    ]);
  const event = (name, seconds = 20) =>
    within(seconds, name, new Promise((resolve) => video.addEventListener(name, resolve, { once: true })));
  const until = (what, holds, seconds = 20) =>
    within(
      seconds,
      what,
      new Promise((resolve) => {
        const timer = setInterval(() => {
          if (!holds()) return;
          clearInterval(timer);
          resolve();
        }, 10);
      }),
    );
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 36];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const light = () => {
    pen.drawImage(video, 0, 0, 64, 36);
    const pixels = pen.getImageData(0, 0, 64, 36).data;
    let sum = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      sum += 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    }
    return sum / (64 * 36);
  };
  const lightAt = async (time) => {
    const seeked = event("seeked");
    video.currentTime = time;
    await seeked;
    // `seeked` tells of the position; what is painted follows with the next pictures of the page.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    return light();
  };
  /** Of the whole file's sound. Not by a running AudioContext, which needs a loudspeaker in Firefox. */
  const peak = async () => {
    const bytes = await (await fetch(file)).arrayBuffer();
    const sound = await new OfflineAudioContext(2, 1, 48_000).decodeAudioData(bytes);
    return sound.getChannelData(0).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  };

  const began = performance.now();
  video.src = source;
  await event("loadedmetadata");
  const duration = video.duration;
  await within(20, "play()", video.play());
  await until("playing", () => video.currentTime > 0.1);
  const startMs = performance.now() - began;
  await until("going on", () => video.currentTime > 1);
  video.pause();
  const loudest = file ? await within(20, "decoded sound", peak()) : 0;
  const pictured = video.videoWidth > 0;
  const dark = pictured ? await lightAt(white + 0.5) : 0;
  const bright = pictured ? await lightAt(white + 0.05) : 0;
  const seeked = event("seeked");
  video.currentTime = duration - 0.7;
  await seeked;
  const end = event("ended");
  video.play().catch(() => undefined); // WebKitGTK plays, but does not resolve it when the end is so near
  await end;
  const [width, height] = [video.videoWidth, video.videoHeight];
  const ended = video.currentTime;
  video.remove();
  return { duration, width, height, dark, bright, loudest, startMs, ended };
}
