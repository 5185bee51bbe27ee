/**
 * Makes a store what it is at its first use, and recognises it later: region, account and epoch are fixed once, and the cluster
 * `default` exists from the start.
 */
import { GantryError } from '../core/errors.ts';
import { defaultClusterName, newCluster } from '../core/model/cluster.ts';
import { attempt } from './attempts.ts';
import type { ControlDeps } from './deps.ts';
import { addCluster } from './store/clusters.ts';
import { addStoreMeta, getStoreMeta, isNoCopy, type StoreMeta } from './store/store-meta.ts';

/** What a new store gets; an existing one must agree with what is given. */
export interface WantedRealm {
  readonly region?: string;
  readonly accountId?: string;
}

const defaults = { region: 'us-east-1', accountId: '000000000000' };

/** Throws ClientException where the store belongs to another region or account, or is a copy that is not whole. */
export function openStore(
  deps: Pick<ControlDeps, 'table' | 'clock' | 'newId' | 'random' | 'sleep'>,
  wanted: WantedRealm,
): Promise<StoreMeta> {
  const { table, clock, newId } = deps;
  return attempt(deps, { most: 20, what: 'the store' }, async () => {
    const known = await getStoreMeta(table);
    if (known !== undefined) return agreed(known, wanted);
    // Seldom: what a function loads at each start is counted.
    const { refuseHalfCopy } = await import('./store/store-copies.ts');
    await refuseHalfCopy(table);
    const createdAt = clock.now();
    const meta: StoreMeta = { ...defaults, ...wanted, epoch: newId(), createdAt };
    const cluster = newCluster({ name: defaultClusterName, createdAt });
    const { outcome } = await table.commit([addStoreMeta(meta), isNoCopy(), addCluster(cluster)]);
    // Not done: another process made the store in this moment.
    return outcome === 'done' ? meta : undefined;
  });
}

function agreed(known: StoreMeta, wanted: WantedRealm): StoreMeta {
  for (const member of ['region', 'accountId'] as const) {
    const value = wanted[member];
    if (value === undefined || value === known[member]) continue;
    throw new GantryError('ClientException', `This store was made with ${member} ${known[member]}, not ${value}.`, {
      field: member,
      hint: `Leave ${member} out, or use another store: both are fixed when a store is made.`,
    });
  }
  return known;
}
