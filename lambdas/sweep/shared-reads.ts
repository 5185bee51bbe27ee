/**
 * Lists of clusters and of waiting tasks, read once a sweep though several loops look at them. Whoever finds a task there reads the task
 * itself before it changes anything, so a list some seconds old misleads nobody; nothing else is remembered.
 */
import { waitingClusterOf } from '../../control/store/images.ts';
import { partitions } from '../../control/store/keys.ts';
import type { Page, Table } from '../../control/store/table.ts';

export function sharingReads(table: Table): Table {
  const pages = new Map<string, Promise<Page>>();
  return {
    get: (key, options) => table.get(key, options),
    getMany: (keys, options) => table.getMany(keys, options),
    queryHistory: (pk, options) => table.queryHistory(pk, options),
    commit: (changes, options) => table.commit(changes, options),
    close: () => table.close(),
    query(pk, options) {
      if (pk !== partitions.clusters && waitingClusterOf({ pk }) === undefined) return table.query(pk, options);
      const name = JSON.stringify([pk, options]);
      const page = pages.get(name) ?? table.query(pk, options);
      pages.set(name, page);
      return page;
    },
  };
}
