/** A binary heap: the least item first, by an order given once. The order of items that are in it must not change meanwhile. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** The least item, which stays. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let place = this.#items.length;
    this.#items.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#items[parent];
      if (above === undefined || this.#compare(item, above) >= 0) break;
      this.#items[place] = above;
      place = parent;
    }
    this.#items[place] = item;
  }

  /** The least item, taken out. */
  pop(): T | undefined {
    const least = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return least;
  }

  #sink(item: T): void {
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const child = this.#lesserOf(left, left + 1);
      const below = this.#items[child];
      if (below === undefined || this.#compare(item, below) <= 0) break;
      this.#items[place] = below;
      place = child;
    }
    this.#items[place] = item;
  }

  #lesserOf(left: number, right: number): number {
    const a = this.#items[left];
    const b = this.#items[right];
    return a !== undefined && b !== undefined && this.#compare(b, a) < 0 ? right : left;
  }
}
