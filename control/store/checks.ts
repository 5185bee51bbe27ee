/**
 * What every store asks of a call before it looks at its data: DynamoDB's rules on keys, paths and commits, held by both stores so
 * that code which works on one works on the other. Answers the changes in normal form; throws TableUsageError on a mistake in the
 * control plane's code and ClientException on what is too large.
 */
import { GantryError } from '../../core/errors.ts';
import type { Change, Condition, Item, Key, Path, QueryOptions } from './table.ts';
import { maxChangesPerCommit } from './table.ts';
import {
  checkItemSize,
  maxCommitBytes,
  normalMap,
  normalName,
  normalValue,
  TableUsageError,
  utf8Bytes,
} from './values.ts';

/** DynamoDB's limits. */
const maxKeyBytes = { pk: 2048, sk: 1024 };
const maxKeysPerGet = 100;

export function checkedKey({ pk, sk }: Key): Key {
  checkKeyPart('pk', pk);
  checkKeyPart('sk', sk);
  return { pk, sk };
}

/** The same keys, each once. */
export function checkedKeys(keys: readonly Key[]): Key[] {
  if (keys.length > maxKeysPerGet)
    throw new TableUsageError(`${keys.length} keys in one read; at most ${maxKeysPerGet}`);
  return [...new Map(keys.map((key) => [keyText(key), checkedKey(key)])).values()];
}

export function checkQuery(pk: string, { limit }: QueryOptions): void {
  checkKeyPart('pk', pk);
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new TableUsageError(`a limit of ${limit} items`);
  }
}

/** The changes in normal form. */
export function checkedCommit(changes: readonly Change[]): Change[] {
  if (changes.length === 0 || changes.length > maxChangesPerCommit) {
    throw new TableUsageError(`${changes.length} changes in one commit; 1 to ${maxChangesPerCommit} are possible`);
  }
  const checked = changes.map(checkedChange);
  if (new Set(checked.map((change) => keyText(keyOf(change)))).size < changes.length) {
    throw new TableUsageError('a commit names an item twice');
  }
  checkSizes(checked);
  return checked;
}

function checkSizes(changes: readonly Change[]): void {
  const bytes = changes.reduce((sum, change) => sum + (change.kind === 'put' ? checkItemSize(change.item) : 0), 0);
  if (bytes <= maxCommitBytes) return;
  throw new GantryError(
    'ClientException',
    `The request would store ${bytes} bytes at once; at most ${maxCommitBytes} fit.`,
    {
      hint: 'Make the request smaller, or make several.',
    },
  );
}

export const keyOf = (change: Change): Key => (change.kind === 'put' ? change.item : change.key);

/** One text a key; the length makes it unambiguous. */
const keyText = ({ pk, sk }: Key): string => `${pk.length}:${pk}${sk}`;

function checkedChange(change: Change): Change {
  const when = change.when.map(checkedCondition);
  switch (change.kind) {
    case 'put':
      return { kind: 'put', item: checkedItem(change.item), when };
    case 'update':
      return checkedUpdate(change, when);
    case 'delete':
      return { kind: 'delete', key: checkedKey(change.key), when };
    case 'check':
      if (when.length === 0) throw new TableUsageError('a check without a condition');
      return { kind: 'check', key: checkedKey(change.key), when };
  }
}

function checkedUpdate(change: Extract<Change, { kind: 'update' }>, when: Condition[]): Change {
  const set = (change.set ?? []).map(({ path, value }) => ({
    path: checkedPath(path),
    value: normalValue(value, path.length),
  }));
  const add = (change.add ?? []).map(({ path, by }) => ({ path: checkedPath(path), by }));
  const remove = (change.remove ?? []).map(checkedPath);
  // Stores differ in how they add fractions (decimal or binary).
  if (!add.every(({ by }) => Number.isSafeInteger(by))) throw new TableUsageError('an update adds what is no integer');
  checkDisjoint([...set.map(({ path }) => path), ...add.map(({ path }) => path), ...remove]);
  return { kind: 'update', key: checkedKey(change.key), set, add, remove, when };
}

function checkDisjoint(paths: readonly Path[]): void {
  if (paths.length === 0) throw new TableUsageError('an update that changes nothing');
  for (const [index, path] of paths.entries()) {
    if (paths.slice(index + 1).some((other) => overlap(path, other))) {
      throw new TableUsageError(`an update changes ${path.join('.')} twice`);
    }
  }
}

/** Whether one path is the other, or leads to it. */
export const overlap = (a: Path, b: Path): boolean =>
  a.slice(0, Math.min(a.length, b.length)).every((name, depth) => name === b[depth]);

function checkedItem(item: Item): Item {
  checkWholeNumber('v', item.v);
  if (item.expiresAt !== undefined) checkWholeNumber('expiresAt', item.expiresAt);
  return {
    ...checkedKey(item),
    v: item.v,
    ...(item.history && { history: checkedKey(item.history) }),
    ...(item.expiresAt !== undefined && { expiresAt: item.expiresAt }),
    data: normalMap(item.data),
  };
}

function checkedCondition(condition: Condition): Condition {
  if ('item' in condition) return condition;
  const path = checkedPath(condition.path);
  if (!('value' in condition)) return { path, is: condition.is };
  const { is, value } = condition;
  if (typeof value === 'boolean' && is !== '=') throw new TableUsageError(`a boolean compared by ${is}`);
  if (typeof value === 'string') return { path, is, value: value.toWellFormed() };
  normalValue(value); // Throws on numbers that cannot be stored.
  return { path, is, value };
}

function checkedPath(path: Path): Path {
  const [first, ...rest] = path;
  return [normalName(first), ...rest.map(normalName)];
}

function checkWholeNumber(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TableUsageError(`${name} is ${value}`);
}

function checkKeyPart(part: 'pk' | 'sk', key: string): void {
  const bytes = utf8Bytes(key);
  if (bytes === 0) throw new TableUsageError(`${part} is empty`);
  if (bytes > maxKeyBytes[part])
    throw new TableUsageError(`${part} takes ${bytes} bytes; at most ${maxKeyBytes[part]}`);
  if (!key.isWellFormed()) throw new TableUsageError(`${part} has a lone surrogate`);
}
