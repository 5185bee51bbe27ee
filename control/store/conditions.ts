/**
 * What conditions and updates mean, for the store that has no engine of its own for them (SQLite), by DynamoDB's rules: a comparison
 * with something that is missing or of another type is false, strings compare by UTF-8 bytes. Pure; writes nothing.
 */
import type { Change, Condition, Item, Json, Path } from './table.ts';
import { compareUtf8 } from './utf8.ts';
import { TableUsageError } from './values.ts';

export type UpdateChange = Extract<Change, { kind: 'update' }>;
type JsonMap = { readonly [name: string]: Json | undefined };

/** Whether every term holds for the item as it is (undefined: there is none). */
export const allHold = (when: readonly Condition[], item: Item | undefined): boolean =>
  when.every((condition) => holds(condition, item));

function holds(condition: Condition, item: Item | undefined): boolean {
  if ('item' in condition) return (item !== undefined) === (condition.item === 'exists');
  const actual = item === undefined ? undefined : valueAt(item.data, condition.path);
  switch (condition.is) {
    case 'exists':
      return actual !== undefined;
    case 'absent':
      return actual === undefined;
    case '=':
      return actual === condition.value;
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const order = compare(actual, condition.value);
      return order !== undefined && orderSatisfies(order, condition.is);
    }
  }
}

function orderSatisfies(order: number, operator: '<' | '<=' | '>' | '>='): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function compare(a: Json | undefined, b: string | number | boolean): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b);
  return undefined;
}

function valueAt(data: JsonMap, path: Path): Json | undefined {
  let value: Json | undefined = data;
  for (const name of path) value = isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The item after the update. Paths do not overlap (checked before), so the order of the steps has no meaning. */
export function updated(item: Item, change: UpdateChange): Item {
  let data: JsonMap = item.data;
  for (const { path, value } of change.set ?? []) data = replaced(data, path, () => value);
  for (const { path, by } of change.add ?? []) data = replaced(data, path, (old) => sum(old, by, path));
  for (const path of change.remove ?? []) data = replaced(data, path, () => undefined);
  return { ...item, data };
}

function replaced(map: JsonMap, path: Path, change: (old: Json | undefined) => Json | undefined): JsonMap {
  const [name, ...rest] = path;
  const [next, ...further] = rest;
  const old = Object.hasOwn(map, name) ? map[name] : undefined;
  if (next === undefined) return { ...map, [name]: change(old) };
  if (!isMap(old)) throw new TableUsageError(`an update goes through ${name}, which is not a map`);
  return { ...map, [name]: replaced(old, [next, ...further], change) };
}

function sum(old: Json | undefined, by: number, path: Path): number {
  if (typeof old !== 'number') throw new TableUsageError(`an update adds to ${path.join('.')}, which is not a number`);
  return old + by;
}
