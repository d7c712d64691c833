/** Settings the server put into the page as JSON (`<script type="application/json" id="meet-config">`). */
export interface PageConfig {
  /** Path below which everything of this server lives; begins and ends with a slash. */
  readonly basePath: string;
  readonly roomId?: string;
  readonly recordingId?: string;
}

declare global {
  interface Window {
    /** The name under which OpenVidu Meet's own pages publish it. */
    __OPENVIDU_MEET_CONFIG__?: { basePath: string };
  }
}

function read(): PageConfig {
  const parsed = JSON.parse(document.getElementById("meet-config")?.textContent ?? "{}") as Partial<PageConfig>;
  return { ...parsed, basePath: parsed.basePath ?? "/" };
}

export const config: PageConfig = read();
window.__OPENVIDU_MEET_CONFIG__ = { basePath: config.basePath };

/** Address of one of our pages or API paths: `link("room/x")` -> `/meet/room/x`. */
export const link = (path: string): string => config.basePath + path.replace(/^\//, "");
