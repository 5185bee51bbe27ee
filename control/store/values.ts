/**
 * The normal form of what is stored, so that both stores answer the same thing for the same write: undefined members are left out,
 * lone surrogates become U+FFFD (neither store can hold them), -0 becomes 0. What DynamoDB cannot hold is a mistake of the caller
 * on both stores. Sizes are counted as DynamoDB counts them.
 */
import { GantryError } from '../../core/errors.ts';
import type { Item, Json } from './table.ts';

/** A mistake in the control plane's own code: the call can never succeed on either store, whatever the store holds. */
export class TableUsageError extends Error {
  override readonly name = 'TableUsageError';
}

/** DynamoDB's limits. */
const maxItemBytes = 400 * 1024;
export const maxCommitBytes = 4 * 1024 * 1024;
const maxDepth = 32;
const numberRange = { least: 1e-130, most: 9.99e125 };

type JsonMap = Item['data'];

/** The value in normal form. */
export function normalValue(value: Json, depth = 1): Json {
  if (depth > maxDepth) throw new TableUsageError(`a value is nested more than ${maxDepth} levels deep`);
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return normalNumber(value);
  if (typeof value === 'boolean' || value === null) return value;
  return isList(value) ? value.map((element) => normalValue(element, depth + 1)) : normalMap(value, depth);
}

export function normalMap(map: JsonMap, depth = 1): { [name: string]: Json } {
  const members: [string, Json][] = [];
  for (const [name, value] of Object.entries(map)) {
    if (value !== undefined) members.push([normalName(name), normalValue(value, depth + 1)]);
  }
  return Object.fromEntries(members);
}

/** The name of a member. `__proto__` is refused because libraries that copy maps lose it. */
export function normalName(name: string): string {
  if (name === '') throw new TableUsageError('the name of a member is empty');
  if (name === '__proto__') throw new TableUsageError('a member cannot be named __proto__');
  return name.toWellFormed();
}

function normalNumber(value: number): number {
  const magnitude = Math.abs(value);
  const storable = magnitude === 0 || (magnitude >= numberRange.least && magnitude <= numberRange.most);
  if (!storable) throw new TableUsageError(`the number ${value} cannot be stored`); // NaN and Infinity too.
  return value === 0 ? 0 : value;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** Throws ClientException when the item, in normal form, is larger than either store takes; returns its size in bytes. */
export function checkItemSize(item: Item): number {
  const bytes = itemBytes(item);
  if (bytes > maxItemBytes) throw itemTooLarge(item.pk, bytes);
  return bytes;
}

/** `bytes` is absent where only DynamoDB knows. */
export function itemTooLarge(partition: string, bytes?: number): GantryError {
  const size = bytes === undefined ? 'is too large' : `would take ${bytes} bytes`;
  return new GantryError(
    'ClientException',
    `What is to be stored in ${partition} ${size}; at most ${maxItemBytes} bytes fit.`,
    {
      hint: 'Make the request smaller.',
    },
  );
}

function itemBytes(item: Item): number {
  const history = item.history === undefined ? 0 : 6 + utf8Bytes(item.history.pk) + utf8Bytes(item.history.sk);
  const expiry = item.expiresAt === undefined ? 0 : 9 + valueBytes(item.expiresAt);
  const keys = 4 + utf8Bytes(item.pk) + utf8Bytes(item.sk);
  return keys + 1 + valueBytes(item.v) + history + expiry + 4 + valueBytes(item.data);
}

function valueBytes(value: Json): number {
  if (typeof value === 'string') return utf8Bytes(value);
  if (typeof value === 'number') return 2 + Math.ceil(value.toString().replace(/\D/g, '').length / 2);
  if (typeof value === 'boolean' || value === null) return 1;
  if (isList(value)) return value.reduce((sum: number, element) => sum + 1 + valueBytes(element), 3);
  let sum = 3;
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) sum += 1 + utf8Bytes(name) + valueBytes(member);
  }
  return sum;
}

export const utf8Bytes = (text: string): number => Buffer.byteLength(text);
