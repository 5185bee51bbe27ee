/**
 * The SQL of the embedded store: its one table, and the statements over it. WITHOUT ROWID keeps a partition's items side by side in
 * the order of their sort keys; BINARY collation, SQLite's default, orders by UTF-8 bytes.
 */
import type { SortKeyRange } from './sort-key-range.ts';

/** "GNTR": marks the file as Gantry's. */
export const applicationId = 0x474e5452;

/** Raised when the table changes in a way that an older Gantry cannot read. */
export const schemaVersion = 1;

export const createSchema = `
  CREATE TABLE items (
    pk TEXT NOT NULL,
    sk TEXT NOT NULL,
    v INTEGER NOT NULL,
    history_pk TEXT,
    history_sk TEXT,
    expires_at INTEGER,
    data TEXT NOT NULL,
    PRIMARY KEY (pk, sk)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX items_history ON items (history_pk, history_sk) WHERE history_pk IS NOT NULL;
  CREATE INDEX items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

const columns = 'pk, sk, v, history_pk, history_sk, expires_at, data';

export const selectItem = `SELECT ${columns} FROM items WHERE pk = ? AND sk = ?`;

export const selectAll = `SELECT ${columns} FROM items`;

export const writeItem = `
  INSERT INTO items (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (pk, sk) DO UPDATE SET v = excluded.v, history_pk = excluded.history_pk, history_sk = excluded.history_sk,
    expires_at = excluded.expires_at, data = excluded.data`;

export const deleteItem = 'DELETE FROM items WHERE pk = ? AND sk = ?';

export const deleteExpired = `
  DELETE FROM items WHERE (pk, sk) IN (SELECT pk, sk FROM items WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`;

/** One page of a partition, of the table or of its history index. Parameters: the partition, the bounds, the limit (-1: none). */
export function selectRange(index: 'table' | 'history', range: SortKeyRange, descending: boolean): string {
  const [partition, sort] = index === 'table' ? ['pk', 'sk'] : ['history_pk', 'history_sk'];
  const terms = [`${partition} = ?`];
  if (range.low !== undefined) terms.push(`${sort} ${range.low.inclusive ? '>=' : '>'} ?`);
  if (range.high !== undefined) terms.push(`${sort} ${range.high.inclusive ? '<=' : '<'} ?`);
  return `SELECT ${columns} FROM items WHERE ${terms.join(' AND ')} ORDER BY ${sort} ${descending ? 'DESC' : 'ASC'} LIMIT ?`;
}
