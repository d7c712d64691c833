/** How many columns make the tiles of a stage largest. Pure arithmetic, so that it can be reasoned about. */

const RATIO = 16 / 9;

export interface Fit {
  readonly columns: number;
  readonly rows: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Best grid of `count` 16:9 tiles with `gap` pixels between them in a box of `width` x `height` pixels. */
export function bestFit(count: number, width: number, height: number, gap: number): Fit {
  let best: Fit = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.max(1, Math.ceil(count / columns));
    const room = (width - gap * (columns - 1)) / columns;
    const tall = (height - gap * (rows - 1)) / rows;
    const tile = Math.max(0, Math.min(room, tall * RATIO));
    if (tile > best.width) best = { columns, rows, width: Math.floor(tile), height: Math.floor(tile / RATIO) };
  }
  return best;
}
