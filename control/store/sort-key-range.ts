/** Turns the options of a query into one range of sort keys. DynamoDB permits a single condition on the sort key; a range is one. */
import type { QueryOptions } from './table.ts';
import { afterPrefix, compareUtf8 } from './utf8.ts';

export interface Bound {
  readonly key: string;
  readonly inclusive: boolean;
}

/** An absent bound is open. */
export interface SortKeyRange {
  readonly low?: Bound;
  readonly high?: Bound;
}

/** The range that a query reads, or undefined when no sort key can lie in it. */
export function sortKeyRange(options: QueryOptions): SortKeyRange | undefined {
  const { prefix = '', after, descending = false } = options;
  const end = afterPrefix(prefix);
  let low: Bound | undefined = prefix === '' ? undefined : { key: prefix, inclusive: true };
  let high: Bound | undefined = end === undefined ? undefined : { key: end, inclusive: false };
  if (after !== undefined) {
    const cut: Bound = { key: after, inclusive: false };
    if (descending) high = high === undefined || compareUtf8(after, high.key) < 0 ? cut : high;
    else low = low === undefined || compareUtf8(after, low.key) >= 0 ? cut : low;
  }
  if (isEmpty(low, high)) return undefined;
  return { ...(low && { low }), ...(high && { high }) };
}

function isEmpty(low: Bound | undefined, high: Bound | undefined): boolean {
  if (high === undefined) return false;
  if (low === undefined) return high.key === ''; // No key is empty, and the high bound is always exclusive.
  return compareUtf8(low.key, high.key) >= 0; // At most one of the two is inclusive.
}
