/**
 * When the control plane was provably receiving: without a gap since when, and for how long in all. Only that time counts as a host's
 * silence. The whole is in the store, so that a process that takes over counts on; each stretch is added once, on a condition.
 */
import type { ControlDeps } from '../deps.ts';
import { getReceiving, type Receiving, writeReceiving } from '../store/store-meta.ts';

/** Between two runs of the loop, in heartbeats; more was a gap. */
const heartbeatsOfGap = 1.5;
/** A process that takes over finds something older at worst: then every host gets the whole time again. */
const heartbeatsUnstored = 10;

/** From memory while this process has looked without a gap. What another has stored meanwhile says the same. */
export async function renewReceiving(deps: ControlDeps): Promise<Receiving> {
  const { table, clock, settings, recent } = deps;
  const now = clock.now();
  const heartbeatMs = settings.heartbeatSeconds * 1000;
  const longestMs = heartbeatsOfGap * heartbeatMs + settings.timerJitterSeconds * 1000;
  const isGapless = ({ at }: Receiving): boolean => now - at <= longestMs;
  const { receiving: own } = recent;
  const remembered = own !== undefined && isGapless(own.said) ? own : undefined;
  const before = remembered?.said ?? (await getReceiving(table));
  const since = before !== undefined && isGapless(before) ? before.since : now;
  const said = { since, at: now };
  const mustStore = remembered === undefined || now - remembered.storedAt >= heartbeatsUnstored * heartbeatMs;
  if (mustStore) await storeReceiving(deps, said);
  recent.receiving = { said, storedAt: mustStore ? now : remembered.storedAt };
  return said;
}

/** For how long the control plane was receiving in all, up to now; undefined where another process stores it in this moment. */
export async function storeReceiving({ table }: ControlDeps, { since, at }: Receiving): Promise<number | undefined> {
  const stored = await getReceiving(table);
  const from = Math.max(since, stored?.at ?? at);
  const totalMs = (stored?.totalMs ?? 0) + Math.max(0, at - from);
  const next = { since, at: Math.max(at, stored?.at ?? at), totalMs };
  const { outcome } = await table.commit([writeReceiving(next, stored)]);
  return outcome === 'done' ? totalMs : undefined;
}
