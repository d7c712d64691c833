/** How a recording arranges its picture, and what the pages call it. */
export type Layout = "grid" | "speaker" | "single-speaker";

export const LAYOUTS: Readonly<Record<Layout, string>> = {
  grid: "Everyone in a grid",
  speaker: "Speaker large, others beside",
  "single-speaker": "Only the speaker",
};
