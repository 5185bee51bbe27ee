/** All items of the embedded store, for who copies it whole. Reads by a connection of its own; never writes. */
import { DatabaseSync } from 'node:sqlite';
import { itemOfRow } from './sqlite-row.ts';
import * as sql from './sqlite-schema.ts';
import type { Item } from './table.ts';

/** As large as a page of DynamoDB's. */
const maxPageBytes = 1024 * 1024;

/** As they are when the first page is read. Whoever asks has the store open, and so nobody else. */
export async function* scanSqlite(file: string): AsyncGenerator<readonly Item[]> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    let page: Item[] = [];
    let bytes = 0;
    for (const row of db.prepare(sql.selectAll).iterate()) {
      page.push(itemOfRow(row));
      bytes += Buffer.byteLength(String(row.data));
      if (bytes < maxPageBytes) continue;
      yield page;
      page = [];
      bytes = 0;
    }
    if (page.length > 0) yield page;
  } finally {
    db.close();
  }
}
