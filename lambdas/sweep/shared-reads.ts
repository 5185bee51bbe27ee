/**
 * What may be some moments old (lists of clusters, of waiting tasks, of hosts) is read once a sweep though several loops look at it:
 * whoever finds something there reads it again before it changes anything, or changes it on a condition. Nothing else is remembered.
 */
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
      if (options?.eventual !== true) return table.query(pk, options);
      const name = JSON.stringify([pk, options]);
      const page = pages.get(name) ?? table.query(pk, options);
      pages.set(name, page);
      return page;
    },
  };
}
