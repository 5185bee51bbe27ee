/** What a table should do, in its plainest form, to compare the stores with: a Map. Knows small ASCII values only. */
import { isDeepStrictEqual } from 'node:util';
import type { Change, CommitResult, Condition, Item, Json, Key, Path } from '../../../control/store/table.ts';

type Members = { [name: string]: Json | undefined };

/** An update that the item does not permit: the stores throw. */
export const invalid = { outcome: 'invalid' } as const;

export class ModelTable {
  readonly #items = new Map<string, Item>();

  get items(): Item[] {
    return [...this.#items.values()];
  }

  commit(changes: readonly Change[]): CommitResult | typeof invalid {
    const failed = changes.flatMap((change, index) => {
      const item = this.#items.get(idOf(keyOf(change)));
      const when: readonly Condition[] = change.kind === 'update' ? [{ item: 'exists' }, ...change.when] : change.when;
      return when.every((condition) => holds(condition, item)) ? [] : [{ index, ...(item && { item }) }];
    });
    if (failed.length > 0) return { outcome: 'refused', failed };
    try {
      const results = changes.map((change) => [idOf(keyOf(change)), this.#after(change)] as const);
      for (const [id, item] of results) {
        if (item === undefined) this.#items.delete(id);
        else this.#items.set(id, item);
      }
      return { outcome: 'done' };
    } catch (error) {
      if (error === invalid) return invalid;
      throw error;
    }
  }

  #after(change: Change): Item | undefined {
    if (change.kind === 'put') return structuredClone(change.item);
    if (change.kind === 'delete') return undefined;
    const item = structuredClone(this.#items.get(idOf(change.key)));
    if (change.kind === 'check' || item === undefined) return item;
    for (const { path, value } of change.set ?? []) parentOf(item, path)[path.at(-1) ?? ''] = value;
    for (const { path, by } of change.add ?? []) {
      const parent = parentOf(item, path);
      const old = parent[path.at(-1) ?? ''];
      if (typeof old !== 'number') throw invalid;
      parent[path.at(-1) ?? ''] = old + by;
    }
    for (const path of change.remove ?? []) delete parentOf(item, path)[path.at(-1) ?? ''];
    return item;
  }
}

const keyOf = (change: Change): Key => (change.kind === 'put' ? change.item : change.key);
const idOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parentOf(item: Item, path: Path): Members {
  let parent: unknown = item.data;
  for (const name of path.slice(0, -1)) parent = isMembers(parent) ? parent[name] : undefined;
  if (!isMembers(parent)) throw invalid;
  return parent;
}

function holds(condition: Condition, item: Item | undefined): boolean {
  if ('item' in condition) return condition.item === (item === undefined ? 'absent' : 'exists');
  let actual: unknown = item?.data;
  for (const name of condition.path) actual = isMembers(actual) ? actual[name] : undefined;
  if (!('value' in condition)) return condition.is === (actual === undefined ? 'absent' : 'exists');
  const { is, value } = condition;
  if (is === '=') return isDeepStrictEqual(actual, value);
  if (typeof actual !== typeof value || actual === null || actual === undefined) return false;
  return { '<': actual < value, '<=': actual <= value, '>': actual > value, '>=': actual >= value }[is];
}
