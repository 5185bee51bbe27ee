/** What two copies of a store are compared by: the same items give the same digest, in whatever order they are read. */
import { createHash } from 'node:crypto';
import type { Item, Json } from './table.ts';

const digestBytes = 32;

/** The same for equal items: stores keep the members of a map in an order of their own. */
export const itemText = ({ pk, sk, v, history, expiresAt, data }: Item): string =>
  JSON.stringify([pk, sk, v, history?.pk ?? null, history?.sk ?? null, expiresAt ?? null, sorted(data)]);

function sorted(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((element) => sorted(element) ?? null);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // As pairs: an object has an order of its own for names that are numbers.
  return members.map(([name, member]) => [name, sorted(member) ?? null]);
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

export interface StoreDigest {
  readonly items: number;
  /** Hexadecimal. No two items have one key, so that what is added up cannot cancel out. */
  readonly digest: string;
}

export async function digestOf(
  pages: AsyncIterable<readonly Item[]>,
  counts: (item: Item) => boolean,
): Promise<StoreDigest> {
  const sum = new Uint8Array(digestBytes);
  let items = 0;
  for await (const page of pages) {
    for (const item of page.filter(counts)) {
      items += 1;
      const digest = createHash('sha256').update(itemText(item)).digest();
      for (const [at, byte] of digest.entries()) sum[at] = (sum[at] ?? 0) ^ byte;
    }
  }
  return { items, digest: Buffer.from(sum).toString('hex') };
}
