/** Access path of what a cluster's hosts are launched from: one item a cluster. */
import { type HostSupply, hostSupplySchema } from '../../core/model/host-supply.ts';
import { itemOf, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Table } from './table.ts';

export const getHostSupply = async (table: Table, cluster: string): Promise<HostSupply | undefined> =>
  parseOptional(hostSupplySchema, await table.get(keys.hostSupply(cluster)));

/** The last one that is given counts. */
export const putHostSupply = (supply: HostSupply): Change => ({
  kind: 'put',
  item: itemOf(keys.hostSupply(supply.cluster), supply),
  when: [],
});

export const removeHostSupply = (cluster: string): Change => ({
  kind: 'delete',
  key: keys.hostSupply(cluster),
  when: [],
});
