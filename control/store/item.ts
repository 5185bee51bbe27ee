/**
 * How nouns become items and items become nouns: the schema version is checked and the model's schema parses, at every read. Noun
 * files use these; nothing else does.
 */
import type { z } from 'zod';
import type { Item, Json, Key } from './table.ts';

/** The version that this code writes; it also reads the one before (there is none yet). */
const schemaVersion = 1;

interface Extras {
  readonly history?: Key;
  /** Epoch seconds. */
  readonly expiresAt?: number;
}

export const itemOf = (key: Key, data: { readonly [name: string]: Json | undefined }, extras: Extras = {}): Item => ({
  ...key,
  v: schemaVersion,
  data,
  ...extras,
});

/** Throws where the item is not what this version of the code understands: that is a fault of the store, never of a caller. */
export function parseItem<T>(schema: z.ZodType<T>, item: Item): T {
  const name = `${item.pk} / ${item.sk}`;
  if (item.v > schemaVersion)
    throw new Error(`${name} was written by a newer Gantry (schema version ${item.v}, known: ${schemaVersion})`);
  const parsed = schema.safeParse(item.data);
  if (!parsed.success) throw new Error(`${name} cannot be read: ${parsed.error.message}`);
  return parsed.data;
}

export const parseOptional = <T>(schema: z.ZodType<T>, item: Item | undefined): T | undefined =>
  item === undefined ? undefined : parseItem(schema, item);

/** True once the item's time is over, whether or not the store has deleted it yet. */
export const isExpired = (item: Item, now: number): boolean =>
  item.expiresAt !== undefined && item.expiresAt * 1000 <= now;
