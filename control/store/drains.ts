/** Access paths of drains: the hosts of a cluster that are being emptied, why, and until when. */
import { z } from 'zod';
import { stopCodeSchema } from '../../core/model/task.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, Table } from './table.ts';

export const drainSchema = z.object({
  cluster: z.string(),
  hostId: z.string(),
  /** `notice`: the machine goes whatever becomes of its tasks. `consolidation`: it goes if they can be replaced. */
  purpose: z.enum(['notice', 'consolidation']),
  /** When the stopping of what may not be replaced begins; absent: never because of this. */
  deadline: z.number().optional(),
  /** When the host is taken into use again instead; absent: never. */
  giveUpAt: z.number().optional(),
  stopCode: stopCodeSchema,
  /** A sentence: for people, and for the tasks that are stopped. */
  reason: z.string(),
  startedAt: z.number(),
});
export type Drain = z.infer<typeof drainSchema>;

/** Some moments old: whoever acts on one reads its host, and changes things on conditions. */
export const clusterDrains = async (table: Table, cluster: string): Promise<Drain[]> =>
  (await queryAll(table, partitions.drains(cluster), { eventual: true })).map((item) => parseItem(drainSchema, item));

export const getDrain = async (table: Table, cluster: string, hostId: string): Promise<Drain | undefined> =>
  parseOptional(drainSchema, await table.get(keys.drain(cluster, hostId)));

/** Takes the place of `seen`; refused where another drain of the host was begun or ended since, or this one's deadline has changed. */
export const putDrain = (drain: Drain, seen: Drain | undefined): Change => ({
  kind: 'put',
  item: itemOf(keys.drain(drain.cluster, drain.hostId), drain),
  when: isStill(seen),
});

/** Refused where it has become another. */
export const removeDrain = (seen: Drain): Change => ({
  kind: 'delete',
  key: keys.drain(seen.cluster, seen.hostId),
  when: isStill(seen),
});

const isStill = (seen: Drain | undefined): Change['when'] =>
  seen === undefined
    ? [{ item: 'absent' }]
    : [
        { path: ['startedAt'], is: '=', value: seen.startedAt },
        seen.deadline === undefined
          ? { path: ['deadline'], is: 'absent' }
          : { path: ['deadline'], is: '=', value: seen.deadline },
      ];
