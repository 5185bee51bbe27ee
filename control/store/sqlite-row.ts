/** Rows of the embedded store as items. */
import { parseItem } from './envelope.ts';
import type { Item } from './table.ts';

/** Throws ServerException where the row is no item of Gantry's. */
export function itemOfRow(row: Record<string, unknown>): Item {
  const { pk, sk, v, history_pk, history_sk, expires_at } = row;
  return parseItem({
    pk,
    sk,
    v,
    ...(history_pk !== null && { history: { pk: history_pk, sk: history_sk } }),
    ...(expires_at !== null && { expiresAt: expires_at }),
    data: dataOfRow(row),
  });
}

/** What is not JSON is left as it is: parseItem refuses it with the item's key. */
function dataOfRow({ data }: Record<string, unknown>): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return data;
  }
}
