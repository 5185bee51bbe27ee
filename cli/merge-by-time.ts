/** Several sequences of what has a time as one, in the order of their times; holds one item of each. */
import { setTimeout as delay } from 'node:timers/promises';

/** What was written at one time arrives at nearly one: whoever has been silent for longer is not waited for. */
const patienceMs = 250;

export interface MergeOptions<Name> {
  /** Whether a sequence may be silent for long: then those that are not go on, and their order is as good as their arrival. */
  readonly isEndless: boolean;
  /** Told of a sequence that ends with an error; the others go on. */
  readonly onFailure: (name: Name, error: unknown) => void;
}

interface Coming {
  readonly arrival: Promise<void>;
  readonly askedAt: number;
}

export async function* mergeByTime<Name, Item extends { readonly at: number }>(
  sources: ReadonlyMap<Name, AsyncGenerator<Item>>,
  { isEndless, onFailure }: MergeOptions<Name>,
): AsyncGenerator<readonly [Name, Item]> {
  const ready = new Map<Name, Item>();
  const coming = new Map<Name, Coming>();
  const ask = (name: Name, source: AsyncGenerator<Item>): void => {
    const next = async (): Promise<void> => {
      try {
        const { done, value } = await source.next();
        if (done !== true) ready.set(name, value);
      } catch (error) {
        onFailure(name, error);
      }
      coming.delete(name);
    };
    coming.set(name, { arrival: next(), askedAt: performance.now() });
  };
  for (const [name, source] of sources) ask(name, source);
  while (ready.size > 0 || coming.size > 0) {
    const arrivals = [...coming.values()].map(({ arrival }) => arrival);
    if (!isEndless) await Promise.all(arrivals);
    else if (ready.size === 0) await Promise.race(arrivals);
    if (isEndless) await recentlyAsked(coming);
    const first = earliest(ready);
    if (first === undefined) continue;
    ready.delete(first[0]);
    yield first;
    const source = sources.get(first[0]);
    if (source !== undefined) ask(first[0], source);
  }
}

/** Waits for those that may yet be about to say something. */
async function recentlyAsked<Name>(coming: ReadonlyMap<Name, Coming>): Promise<void> {
  const now = performance.now();
  const recent = [...coming.values()].filter(({ askedAt }) => now - askedAt < patienceMs);
  if (recent.length === 0) return;
  const last = Math.max(...recent.map(({ askedAt }) => askedAt));
  const enough = new AbortController();
  const silence = delay(last + patienceMs - now, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([Promise.all(recent.map(({ arrival }) => arrival)), silence]);
  enough.abort();
}

function earliest<Name, Item extends { readonly at: number }>(
  ready: ReadonlyMap<Name, Item>,
): readonly [Name, Item] | undefined {
  let first: readonly [Name, Item] | undefined;
  for (const entry of ready) if (entry[1].at < (first?.[1].at ?? Number.POSITIVE_INFINITY)) first = entry;
  return first;
}
