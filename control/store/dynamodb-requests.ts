/**
 * Changes and queries as DynamoDB's request members: expressions with every name and value behind a placeholder, so that reserved
 * words, dots and slashes in names (`tcp/80`) are safe. Pure; sends nothing.
 */
import { type Attributes, attributeValue, itemAttributes, keyAttributes } from './attribute-values.ts';
import { keyOf, overlap } from './checks.ts';
import { allHold } from './conditions.ts';
import type { SortKeyRange } from './sort-key-range.ts';
import type { Change, Condition, Json, Path } from './table.ts';
import { tableShape } from './table-shape.ts';

interface PlaceholderMembers {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
}

/** One expression's placeholders; a name that occurs twice has one. */
class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values: Attributes = {};

  name(name: string): string {
    const placeholder = this.#names.get(name) ?? `#${this.#names.size}`;
    this.#names.set(name, placeholder);
    return placeholder;
  }

  /** A path below `data`. */
  path(path: Path): string {
    return [tableShape.data, ...path].map((name) => this.name(name)).join('.');
  }

  value(value: Json): string {
    const placeholder = `:${Object.keys(this.#values).length}`;
    this.#values[placeholder] = attributeValue(value);
    return placeholder;
  }

  /** DynamoDB refuses empty maps of names or values. */
  members(): PlaceholderMembers {
    const names = Object.fromEntries([...this.#names].map(([name, placeholder]) => [placeholder, name]));
    return {
      ...(this.#names.size > 0 && { ExpressionAttributeNames: names }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    };
  }
}

function expressionsOf(change: Change) {
  const placeholders = new Placeholders();
  // An update of an item that is not there would make it.
  const when: readonly Condition[] = change.kind === 'update' ? [{ item: 'exists' }, ...change.when] : change.when;
  const condition = when.map((term) => termOf(term, placeholders)).join(' AND ');
  const update = change.kind === 'update' ? updateOf(change, placeholders) : '';
  const shared = { ...placeholders.members(), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const };
  return { condition, update, shared };
}

function termOf(condition: Condition, placeholders: Placeholders): string {
  if ('item' in condition) return presence(condition.item, placeholders.name(tableShape.partitionKey));
  const path = placeholders.path(condition.path);
  if (!('value' in condition)) return presence(condition.is, path);
  return `${path} ${condition.is} ${placeholders.value(condition.value)}`;
}

const presence = (is: 'exists' | 'absent', path: string): string =>
  is === 'exists' ? `attribute_exists(${path})` : `attribute_not_exists(${path})`;

function updateOf(change: Extract<Change, { kind: 'update' }>, placeholders: Placeholders): string {
  const sets = (change.set ?? []).map(({ path, value }) => `${placeholders.path(path)} = ${placeholders.value(value)}`);
  const sums = (change.add ?? []).map(({ path, by }) => {
    const target = placeholders.path(path);
    return `${target} = ${target} + ${placeholders.value(by)}`;
  });
  const removals = (change.remove ?? []).map((path) => placeholders.path(path));
  const assignments = [...sets, ...sums].join(', ');
  return [assignments && `SET ${assignments}`, removals.length > 0 && `REMOVE ${removals.join(', ')}`]
    .filter((clause) => clause !== '' && clause !== false)
    .join(' ');
}

interface Conditional extends PlaceholderMembers {
  readonly TableName: string;
  readonly ConditionExpression?: string;
  readonly ReturnValuesOnConditionCheckFailure: 'ALL_OLD';
}

/** Has exactly one member. */
interface Write {
  readonly Put?: Conditional & { readonly Item: Attributes };
  readonly Update?: Conditional & { readonly Key: Attributes; readonly UpdateExpression: string };
  readonly Delete?: Conditional & { readonly Key: Attributes };
  readonly ConditionCheck?: Conditional & { readonly Key: Attributes; readonly ConditionExpression: string };
}

/** The change as an element of TransactItems; its one member is also the input of PutItem, UpdateItem or DeleteItem. */
export function writeOf(TableName: string, change: Change): Write {
  const { condition: ConditionExpression, update: UpdateExpression, shared } = expressionsOf(change);
  const conditional = { ...(ConditionExpression !== '' && { ConditionExpression }), ...shared };
  const Key = keyAttributes(keyOf(change));
  switch (change.kind) {
    case 'put':
      return { Put: { TableName, Item: itemAttributes(change.item), ...conditional } };
    case 'update':
      return { Update: { TableName, Key, UpdateExpression, ...conditional } };
    case 'delete':
      return { Delete: { TableName, Key, ...conditional } };
    case 'check':
      return { ConditionCheck: { TableName, Key, ConditionExpression, ...shared } };
  }
}

/**
 * Whether making the change again after it was made gives the same answer and the same item. Only such a change may go without a
 * transaction (half the price): a retry after a lost answer has no token by which DynamoDB could recognise it.
 */
export function isRepeatable(change: Change): boolean {
  switch (change.kind) {
    case 'put':
      return allHold(change.when, change.item);
    case 'delete':
      return allHold(change.when, undefined);
    case 'update': {
      const changed = [...(change.set ?? []).map(({ path }) => path), ...(change.remove ?? [])];
      const asksForItsOwn = change.when.some(
        (term) => 'path' in term && changed.some((path) => overlap(path, term.path)),
      );
      return (change.add ?? []).length === 0 && !asksForItsOwn;
    }
    case 'check':
      return false;
  }
}

/** Whether the change may be made twice and still leaves the item as once: whatever is answered the second time. */
export const isSetting = (change: Change): boolean =>
  change.kind === 'update' ? (change.add ?? []).length === 0 : change.kind !== 'check';

/**
 * The key condition of a query. BETWEEN is the only condition with two bounds and includes both, so `edges` names the sort keys that
 * the reader drops; reading on from a sort key needs no further token on the table or on an index.
 */
export function keyCondition(partition: string, sort: string, pk: string, { low, high }: SortKeyRange) {
  const placeholders = new Placeholders();
  const terms = [`${placeholders.name(partition)} = ${placeholders.value(pk)}`];
  const edges: string[] = [];
  if (low !== undefined && high !== undefined) {
    terms.push(`${placeholders.name(sort)} BETWEEN ${placeholders.value(low.key)} AND ${placeholders.value(high.key)}`);
    edges.push(...[low, high].filter(({ inclusive }) => !inclusive).map(({ key }) => key));
  } else if (low !== undefined) {
    terms.push(`${placeholders.name(sort)} ${low.inclusive ? '>=' : '>'} ${placeholders.value(low.key)}`);
  } else if (high !== undefined) {
    terms.push(`${placeholders.name(sort)} ${high.inclusive ? '<=' : '<'} ${placeholders.value(high.key)}`);
  }
  return { input: { KeyConditionExpression: terms.join(' AND '), ...placeholders.members() }, edges };
}
