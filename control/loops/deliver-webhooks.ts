/**
 * Sends the events of a cluster to its webhooks, each at its own pace: one that hangs holds up no other. Whoever has written an event
 * triggers it, where that is the same process.
 */
import type { ControlDeps } from '../deps.ts';
import { eventsTopic } from '../events/keep.ts';
import { clusterWebhooks } from '../store/webhooks.ts';
import type { Delivered } from '../webhooks/deliver.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** Then it begins nothing, and comes again at once. */
const longestMs = 20_000;

export const deliverWebhooks: ClusterLoop = {
  name: 'deliver-webhooks',
  scope: 'cluster',
  waitsForStrangers: true,
  periodSeconds: () => 60,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  if (!deps.journal.isKept) return { changed: 0 };
  const active = (await clusterWebhooks(deps.table, cluster, { eventual: true })).filter(({ isPaused }) => !isPaused);
  if (active.length === 0) return { changed: 0 };
  // Seldom needed, so it is no part of a cold start.
  const { deliver } = await import('../webhooks/deliver.ts');
  const until = deps.clock.now() + longestMs;
  const { changed, againAt } = await whileAnyIsBusy(
    deps,
    { topic: eventsTopic(cluster), until },
    active.map((webhook) => () => deliver(deps, webhook, until)),
  );
  // Events that are younger than that are not read yet; where no one has come for long, the timer is soon enough.
  const settled = deps.journal.settleMs > 0 && changed > 0 ? deps.clock.now() + deps.journal.settleMs : Infinity;
  const next = Math.min(againAt, settled);
  return Number.isFinite(next) ? { changed, againAt: next } : { changed };
}

/** Does each once, and each that is at rest again when there are new events while another is still at it. */
async function whileAnyIsBusy(
  { feed, clock }: ControlDeps,
  { topic, until }: { readonly topic: string; readonly until: number },
  works: readonly (() => Promise<Delivered>)[],
): Promise<{ readonly changed: number; readonly againAt: number }> {
  const busy = new Map<number, Promise<void>>();
  const againAt = new Map<number, number>();
  let changed = 0;
  let news = Promise.withResolvers<void>();
  using _ = feed.subscribe(topic, () => news.resolve());
  let failure: { readonly error: unknown } | undefined;
  const start = (index: number, work: () => Promise<Delivered>): Promise<void> =>
    work()
      .then((delivered) => {
        changed += delivered.accepted;
        againAt.set(index, delivered.againAt ?? Infinity);
      })
      .catch((error: unknown) => {
        failure ??= { error }; // The others' receivers wait too.
      })
      .finally(() => busy.delete(index));
  for (const [index, work] of works.entries()) busy.set(index, start(index, work));
  while (busy.size > 0) {
    await Promise.race([Promise.all(busy.values()), news.promise]);
    if (busy.size === 0) break;
    news = Promise.withResolvers();
    if (clock.now() >= until) continue;
    for (const [index, work] of works.entries()) if (!busy.has(index)) busy.set(index, start(index, work));
  }
  if (failure !== undefined) throw failure.error;
  return { changed, againAt: Math.min(...againAt.values()) };
}
