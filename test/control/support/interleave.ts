/**
 * Two calls in every order in which one can come between two looks at the store of the other, and the other way round: each on a control
 * plane of its own over one store. A call is held before its n-th access, which is where another process may be quicker.
 */
import type { Table } from '../../../control/store/table.ts';

/** What of its accesses to the store a process may be held before. */
export type HeldBefore = 'accesses' | 'commits';

/** A process that stops before its n-th access to the store, from `holdAt` until `release`. What it asks for at once is one access. */
export class Held {
  readonly #before: HeldBefore;
  #left = Number.POSITIVE_INFINITY;
  #asking = false;
  #held: (() => void) | undefined;
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;

  constructor(before: HeldBefore) {
    this.#before = before;
  }

  /** Resolves once it is held. */
  holdAt(accesses: number): Promise<void> {
    this.#left = accesses;
    return new Promise((resolve) => {
      this.#held = resolve;
    });
  }

  release(): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.#open?.();
    this.#open = undefined;
    this.#gate = undefined;
  }

  readonly wrap = (table: Table): Table => ({
    get: (...call) => this.#access(() => table.get(...call)),
    getMany: (...call) => this.#access(() => table.getMany(...call)),
    query: (...call) => this.#access(() => table.query(...call)),
    queryHistory: (...call) => this.#access(() => table.queryHistory(...call)),
    commit: (...call) => this.#access(() => table.commit(...call), true),
    close: () => table.close(),
  });

  async #access<T>(access: () => Promise<T>, isCommit = false): Promise<T> {
    if (!this.#asking && (isCommit || this.#before === 'accesses')) {
      this.#asking = true;
      queueMicrotask(() => {
        this.#asking = false;
      });
      if (this.#left === 0 && this.#gate === undefined) {
        this.#gate = new Promise((resolve) => {
          this.#open = resolve;
        });
        this.#held?.();
      }
      this.#left -= 1;
    }
    await this.#gate;
    return access();
  }
}

/** A call and the process that makes it. */
export interface Actor {
  readonly held: Held;
  readonly call: () => Promise<unknown>;
}

/** How many accesses each has made when the other goes on. */
export interface Order {
  readonly first: number;
  readonly second: number;
}

/**
 * The first call up to an access, the second up to one of its own, the first to its end, the second to its end. Answers how both ended, and
 * whether each was held where it was to be: where not, it has fewer accesses.
 */
export async function interleaved(first: Actor, second: Actor, order: Order): Promise<[Began, Began]> {
  const a = await begin(first, order.first);
  const b = await begin(second, order.second);
  first.held.release();
  await a.ended;
  second.held.release();
  await b.ended;
  return [a, b];
}

interface Began {
  readonly wasHeld: boolean;
  readonly ended: Promise<PromiseSettledResult<unknown>>;
}

async function begin({ held, call }: Actor, accesses: number): Promise<Began> {
  const atHold = held.holdAt(accesses).then(() => true);
  const ended = Promise.allSettled([call()]).then(([result]) => result);
  const wasHeld = await Promise.race([atHold, ended.then(() => false)]);
  return { wasHeld, ended };
}

/** Of how many accesses each the next order is; Infinity: the second call is never held. */
export interface Strides {
  readonly first: number;
  readonly second: number;
}

/**
 * The orders of two calls, until they have no more accesses: with strides other than 1 some of them, though spread so that each call is
 * held before each of its accesses that `first` does not pass over. `run` answers what `interleaved` does. Answers how many it were.
 */
export async function everyOrder(
  run: (order: Order) => Promise<readonly [Pick<Began, 'wasHeld'>, Pick<Began, 'wasHeld'>]>,
  strides: Strides,
): Promise<number> {
  let orders = 0;
  for (let first = 0, more = true; more; first += strides.first) {
    const from = strides.second === Infinity ? Infinity : first % strides.second;
    for (let second = from, moreOfSecond = true; moreOfSecond; second += strides.second) {
      const [a, b] = await run({ first, second });
      orders += 1;
      more = a.wasHeld;
      moreOfSecond = b.wasHeld;
    }
  }
  return orders;
}
