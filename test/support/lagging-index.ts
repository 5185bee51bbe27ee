/**
 * The history index as DynamoDB may answer it: behind the table by some operations. It is told what is written, shows each write
 * only later, and always shows all of them in the end. Serves the queries that control/store/dynamodb.ts makes, and no others.
 */
import { tableShape } from '../../control/store/table-shape.ts';

type Attribute = { readonly S?: string } | undefined;
export type Image = { readonly [name: string]: Attribute };

interface Pending {
  readonly id: string;
  readonly image: Image | undefined;
  readonly visibleAt: number;
}

export interface HistoryQuery {
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeValues?: { readonly [placeholder: string]: Attribute };
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
}

const { partitionKey, sortKey, history } = tableShape;
const text = (image: Image, name: string): string => image[name]?.S ?? '';
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export class LaggingIndex {
  readonly #visible = new Map<string, Image>();
  readonly #known = new Set<string>();
  #pending: Pending[] = [];
  #operations = 0;

  /** Whether the item was ever in the index: only then do further writes of it matter. */
  knows(key: Image): boolean {
    return this.#known.has(idOf(key));
  }

  /** The item as it is now (undefined: gone); shown after `lag` more operations. */
  record(key: Image, image: Image | undefined, lag: number): void {
    const id = idOf(key);
    this.#known.add(id);
    const isInIndex = image !== undefined && text(image, history.partitionKey) !== '';
    // Never before an earlier write of the same item.
    const earlier = this.#pending.filter((pending) => pending.id === id).map(({ visibleAt }) => visibleAt);
    const visibleAt = Math.max(this.#operations + lag, ...earlier);
    this.#pending.push({ id, image: isInIndex ? image : undefined, visibleAt });
  }

  /** Time passes by operations, not by the clock. */
  tick(): void {
    this.#operations += 1;
    const due = this.#pending.filter(({ visibleAt }) => visibleAt <= this.#operations);
    this.#pending = this.#pending.filter(({ visibleAt }) => visibleAt > this.#operations);
    for (const { id, image } of due) {
      if (image === undefined) this.#visible.delete(id);
      else this.#visible.set(id, image);
    }
  }

  query({ KeyConditionExpression = '', ExpressionAttributeValues = {}, ScanIndexForward, Limit }: HistoryQuery) {
    const matches = matcherOf(KeyConditionExpression, (placeholder) => ExpressionAttributeValues[placeholder]?.S ?? '');
    const found = [...this.#visible.values()]
      .filter((image) => matches(text(image, history.partitionKey), text(image, history.sortKey)))
      .toSorted((a, b) => byBytes(text(a, history.sortKey), text(b, history.sortKey)));
    const ordered = ScanIndexForward === false ? found.toReversed() : found;
    const Items = ordered.slice(0, Limit ?? ordered.length);
    const last = Items.length < ordered.length ? Items.at(-1) : undefined;
    return { Items, Count: Items.length, ...(last && { LastEvaluatedKey: indexKeyOf(last) }) };
  }
}

const idOf = (key: Image): string => JSON.stringify([text(key, partitionKey), text(key, sortKey)]);

const indexKeyOf = (image: Image): Image =>
  Object.fromEntries([partitionKey, sortKey, history.partitionKey, history.sortKey].map((name) => [name, image[name]]));

function matcherOf(expression: string, value: (placeholder: string) => string) {
  const form = /^#\w+ = (:\w+)(?: AND #\w+ (BETWEEN|>=|<=|>|<) (:\w+)(?: AND (:\w+))?)?$/.exec(expression);
  if (form === null) throw new Error(`the lagging index cannot read ${expression}`);
  const [, partition = '', operator, first = '', second = ''] = form;
  return (pk: string, sk: string): boolean => {
    if (pk !== value(partition)) return false;
    if (operator === undefined) return true;
    const order = byBytes(sk, value(first));
    if (operator === 'BETWEEN') return order >= 0 && byBytes(sk, value(second)) <= 0;
    return { '>=': order >= 0, '<=': order <= 0, '>': order > 0, '<': order < 0 }[operator] ?? false;
  };
}
