/** A list that loads page by page: its items, its empty text, and its "Show more" button. */
import { announce, busy, byId } from "./dom";
import type { Listing } from "../api/caller";

export interface Source<T> {
  /** One page; the first one without a token. */
  readonly load: (nextPageToken: string | undefined) => Promise<Listing<T>>;
  readonly item: (value: T) => HTMLLIElement;
  /** Called after every change of what is shown. */
  readonly changed?: () => void;
}

/** Uses `#<name>`, `#<name>-empty` and `#<name>-more`. Loading throws what `load` throws. */
export class PagedList<T> {
  private readonly list: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly more: HTMLButtonElement;
  private next: string | undefined;
  private turn = 0;

  constructor(
    name: string,
    private readonly source: Source<T>,
    guarded: (action: () => Promise<void>) => Promise<void>,
  ) {
    this.list = byId(name);
    this.empty = byId(`${name}-empty`);
    this.more = byId<HTMLButtonElement>(`${name}-more`);
    this.more.addEventListener("click", () => void busy(this.more, () => guarded(() => this.load(false))));
  }

  /** From the beginning, with the filters as they are now. */
  reload(): Promise<void> {
    this.next = undefined;
    return this.load(true);
  }

  add(value: T): void {
    this.list.prepend(this.source.item(value));
    this.settle();
  }

  /** Take an item away; the focus goes to its neighbour, so that the keyboard does not start at the top again. */
  remove(item: HTMLElement, said: string): void {
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    neighbour?.querySelector<HTMLElement>("a, button, select, input")?.focus();
    announce(said);
    this.settle();
  }

  get items(): NodeListOf<HTMLLIElement> {
    return this.list.querySelectorAll<HTMLLIElement>(":scope > li");
  }

  private async load(fresh: boolean): Promise<void> {
    const turn = ++this.turn;
    this.list.setAttribute("aria-busy", "true");
    try {
      const page = await this.source.load(this.next);
      if (turn !== this.turn) return; // a later search has overtaken this one
      const items = page.items.map((value) => this.source.item(value));
      if (fresh) this.list.replaceChildren(...items);
      else this.list.append(...items);
      this.next = page.next;
      if (!fresh) items[0]?.querySelector<HTMLElement>("a, button")?.focus();
    } finally {
      if (turn === this.turn) this.list.removeAttribute("aria-busy");
    }
    this.settle();
  }

  private settle(): void {
    this.empty.hidden = this.list.childElementCount > 0;
    this.more.hidden = this.next === undefined;
    this.source.changed?.();
  }
}
