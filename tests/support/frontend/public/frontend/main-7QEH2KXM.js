// Stands in for the built web app: the order of calls, headers and storage of contract 7.6, without its screens.
const basePath = window.__OPENVIDU_MEET_CONFIG__?.basePath ?? new URL(document.baseURI).pathname;
const resolve = (path) => `${location.origin}${basePath}${path}`;
const memory = { member: undefined };

// As the web app's interceptors do: an empty JSON body where there is nothing to say, tokens in headers, never cookies.
async function call(method, path, { body, headers = {}, user = true } = {}) {
  const sent = { "Content-Type": "application/json", Accept: "application/json, text/plain, */*", ...headers };
  const access = localStorage.getItem("ovMeet-accessToken");
  if (user && access) sent["Authorization"] = `Bearer ${access}`;
  if (memory.member) sent["X-Room-Member-Token"] ??= `Bearer ${memory.member}`;
  const init = { method, headers: sent, credentials: "same-origin" };
  if (method === "POST" || method === "PUT") init.body = JSON.stringify(body ?? {});
  const answer = await fetch(resolve(path), init);
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : undefined };
}

const metadata = (token) => JSON.parse(JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).metadata);

async function token(roomId, options) {
  const secret = sessionStorage.getItem("ovMeet-roomSecret") ?? undefined;
  return call("POST", `internal-api/v1/rooms/${roomId}/members/token`, { body: { secret, ...options } });
}

async function openRoom(roomId) {
  const secret = new URLSearchParams(location.search).get("secret");
  if (secret) sessionStorage.setItem("ovMeet-roomSecret", secret);
  const first = await token(roomId, { joinMeeting: false });
  if (first.status !== 200) return refused(first);
  memory.member = first.body.token;
  const room = await call("GET", `api/v1/rooms/${roomId}`, { headers: { "X-Fields": "roomName,status", "X-ExtraFields": "" } });
  const config = await call("GET", `api/v1/rooms/${roomId}/config`);
  return { view: "lobby", room: room.body, config: config.body };
}

// The texts the web app branches on (7.6.2).
function refused({ status, body }) {
  if (status === 400) return { view: "invalid secret" };
  if (status === 403 && body.message.includes("Anonymous access")) return { view: "access disabled" };
  if (status === 404 && body.message.includes("Room member")) return { view: "member removed" };
  if (status === 404) return { view: "room missing" };
  if (status === 409) return { view: "room closed" };
  return { view: `error ${status}` };
}

async function join(roomId, participantName) {
  const joined = await token(roomId, { joinMeeting: true, participantName });
  if (joined.status !== 200) return refused(joined);
  memory.member = joined.body.token;
  const { livekitUrl } = metadata(memory.member);
  const socket = new WebSocket(`${livekitUrl}/rtc?access_token=${memory.member}&protocol=15&auto_subscribe=1&sdk=js`);
  socket.binaryType = "arraybuffer";
  const bytes = await new Promise((done, failed) => {
    socket.onmessage = (event) => done(event.data.byteLength);
    socket.onerror = () => failed(new Error("the media server cannot be reached"));
  });
  memory.socket = socket;
  return { view: "meeting", livekitUrl, bytes };
}

async function signIn(userId, password) {
  const answer = await call("POST", "internal-api/v1/auth/login", { body: { userId, password }, user: false });
  if (answer.body.accessToken) localStorage.setItem("ovMeet-accessToken", answer.body.accessToken);
  if (answer.body.refreshToken) localStorage.setItem("ovMeet-refreshToken", answer.body.refreshToken);
  return answer;
}

async function boot() {
  const appearance = await call("GET", "internal-api/v1/config/rooms/appearance");
  const captions = await call("GET", "internal-api/v1/config/captions");
  const path = location.pathname.slice(basePath.length);
  const room = /^room\/([^/]+)$/.exec(path);
  const shown = room ? await openRoom(room[1]) : { view: path || "overview" };
  return { ...shown, basePath, themes: appearance.body.appearance.themes, captions: captions.body.enabled };
}

window.app = { call, join, signIn, token, memory, booted: boot() };
window.app.booted.then((state) => {
  document.querySelector("app-root").textContent = state.view;
});
