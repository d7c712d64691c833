/** The picture and the sound level people see of themselves before they join. */
import { byId } from "../lib/dom";
import { wish } from "./devices";

const METER_MS = 80;

/** One camera and one microphone, opened and closed on their own. `refused` is told what the browser said. */
export class Preview {
  private readonly tracks = new Map<"video" | "audio", MediaStreamTrack>();
  private meter = 0;
  private context: AudioContext | undefined;

  constructor(private readonly refused: (kind: "video" | "audio", reason: string) => void) {}

  has(kind: "video" | "audio"): boolean {
    return this.tracks.has(kind);
  }

  async open(kind: "video" | "audio"): Promise<boolean> {
    this.close(kind);
    const device = kind === "video" ? wish("videoinput") : wish("audioinput");
    const constraints = kind === "video" ? { video: { ...device, width: 1280, height: 720 } } : { audio: device };
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      const track = stream.getTracks()[0];
      if (!track) return false;
      this.tracks.set(kind, track);
      if (kind === "video") this.showVideo(stream);
      else this.showLevel(stream);
      return true;
    } catch (error) {
      this.refused(kind, error instanceof DOMException ? error.name : "Error");
      return false;
    }
  }

  close(kind: "video" | "audio"): void {
    this.tracks.get(kind)?.stop();
    this.tracks.delete(kind);
    if (kind === "video") byId<HTMLVideoElement>("preview-video").srcObject = null;
    else this.hideLevel();
  }

  closeAll(): void {
    this.close("video");
    this.close("audio");
  }

  private showVideo(stream: MediaStream): void {
    const video = byId<HTMLVideoElement>("preview-video");
    video.srcObject = stream;
    void video.play().catch(() => undefined); // a newer stream took the element: that one plays
  }

  private showLevel(stream: MediaStream): void {
    this.context = new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 512;
    this.context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const bar = byId("preview-level");
    this.meter = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      bar.style.setProperty("--level", String(Math.min(1, Math.sqrt(power) * 4)));
    }, METER_MS);
  }

  private hideLevel(): void {
    window.clearInterval(this.meter);
    byId("preview-level").style.setProperty("--level", "0");
    void this.context?.close();
    this.context = undefined;
  }
}
