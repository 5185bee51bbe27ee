/** Reads an item's envelope as a store returns it. What is in `data` is parsed by the file of the noun that it belongs to. */
import { z } from 'zod';
import { GantryError } from '../../core/errors.ts';
import type { Item } from './table.ts';

const envelope = z.object({
  pk: z.string().min(1),
  sk: z.string().min(1),
  v: z.int(),
  history: z.object({ pk: z.string(), sk: z.string() }).exactOptional(),
  expiresAt: z.int().exactOptional(),
  data: z.custom<Item['data']>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
});

/** `raw` has no members whose value is undefined. Throws ServerException when it is no item: someone else wrote to the store. */
export function parseItem(raw: { readonly [member: string]: unknown }): Item {
  const parsed = envelope.safeParse(raw);
  if (parsed.success) return parsed.data;
  const message = `The store holds something at ${String(raw.pk)} / ${String(raw.sk)} that is not Gantry's.`;
  throw new GantryError('ServerException', message, { cause: parsed.error });
}
