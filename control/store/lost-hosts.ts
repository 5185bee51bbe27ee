/**
 * Access paths of the hosts of a cluster that are not heard: since when, and, once their tasks were given up, when that was decided. One
 * item a host, until it is there again with nothing left to do, or is retired. Written by the loop `mark-silent` alone.
 */
import { z } from 'zod';
import { itemOf, parseItem } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, Table } from './table.ts';

const lostHostSchema = z.object({
  cluster: z.string(),
  hostId: z.string(),
  /** When it was last heard of. */
  heardAt: z.number(),
  /** `Receiving.totalMs` as it was when the host fell silent: what it has grown by is how long that was heard of. */
  silentFromMs: z.number(),
  /** Its tasks are given up. */
  decided: z.object({ at: z.number(), hostEpoch: z.number().int() }).optional(),
});
export type LostHost = z.infer<typeof lostHostSchema>;

export const clusterLostHosts = async (table: Table, cluster: string): Promise<LostHost[]> =>
  (await queryAll(table, partitions.lostHosts(cluster))).map((item) => parseItem(lostHostSchema, item));

const putLostHost = (lost: LostHost, when: Change['when']): Change => ({
  kind: 'put',
  item: itemOf(keys.lostHost(lost.cluster, lost.hostId), lost),
  when,
});

/** Takes the place of what was known of an earlier silence. */
export const beginSilence = (lost: LostHost): Change => putLostHost(lost, []);

/** Refused where that is another silence by now, or is decided. */
export const decideLost = (seen: LostHost, decided: NonNullable<LostHost['decided']>): Change =>
  putLostHost({ ...seen, decided }, isStill(seen));

/** Refused where it has become another. */
export const removeLostHost = (seen: LostHost): Change => ({
  kind: 'delete',
  key: keys.lostHost(seen.cluster, seen.hostId),
  when: isStill(seen),
});

const isStill = ({ silentFromMs, decided }: LostHost): Change['when'] => [
  { path: ['silentFromMs'], is: '=', value: silentFromMs },
  decided === undefined
    ? { path: ['decided'], is: 'absent' }
    : { path: ['decided', 'hostEpoch'], is: '=', value: decided.hostEpoch },
];
