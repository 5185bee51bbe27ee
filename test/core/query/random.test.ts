import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameterFault } from '../../../core/model/faults.ts';
import { checkedQuery, hostQuery } from '../../../core/query/host-query.ts';
import { type Comparison, parseQuery, type Query } from '../../../core/query/parse.ts';
import type { QueriedHost } from '../../../core/query/subjects.ts';
import { print } from './support.ts';

const values = fc.string({ unit: 'grapheme', maxLength: 6 });
const named = fc.constantFrom('attribute:a', 'attribute:b.c', 'attribute:ecs.instance-type');

const comparisons: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({
    is: fc.constant('comparison' as const),
    subject: named,
    operator: fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
    values: fc.tuple(values),
  }),
  fc.record({
    is: fc.constant('comparison' as const),
    subject: named,
    operator: fc.constantFrom('in', '!in'),
    values: fc.array(values, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    is: fc.constant('comparison' as const),
    subject: fc.oneof(named, fc.constantFrom('task:group', 'runningTasksCount')),
    operator: fc.constantFrom('exists', '!exists'),
    values: fc.constant([]),
  }),
  fc.record({
    is: fc.constant('comparison' as const),
    subject: fc.constant('task:group'),
    operator: fc.constantFrom('=~', '!~'),
    values: fc.tuple(fc.constantFrom('x.*', '(a|b)+c?', '[a-c]\\d{2,3}', 'a\\sb')),
  }),
  fc.record({
    is: fc.constant('comparison' as const),
    subject: fc.constant('runningTasksCount'),
    operator: fc.constantFrom('==', '<', '>='),
    values: fc.tuple(fc.nat(3).map(String)),
  }),
);

const queries: fc.Arbitrary<Query> = fc.letrec<{ query: Query }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    comparisons,
    fc.record({ is: fc.constant('not' as const), part: tie('query') }),
    fc.record({
      is: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(tie('query'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).query;

/** What an expression means, said a second time. */
function naive(query: Query, host: QueriedHost): boolean {
  if (query.is === 'not') return !naive(query.part, host);
  if (query.is !== 'comparison') {
    const found = query.parts.map((part) => naive(part, host));
    return query.is === 'and' ? !found.includes(false) : found.includes(true);
  }
  const { subject, operator, values: wanted } = query;
  const own = host.attributes[subject.slice('attribute:'.length)];
  const had =
    subject === 'task:group'
      ? Object.keys(host.groups)
      : subject === 'runningTasksCount'
        ? [String(host.taskCount)]
        : own === undefined
          ? []
          : [own];
  const isEmpty = had.length === 0 && subject !== 'task:group';
  const isMatch = (value: string): boolean => new RegExp(`^(?:${wanted[0] ?? ''})$`, 'u').test(value);
  const [bound = ''] = wanted;
  const order = (a: string, b: string): number => {
    const numbers = a !== '' && b !== '' && !Number.isNaN(Number(a)) && !Number.isNaN(Number(b));
    return numbers ? Math.sign(Number(a) - Number(b)) : a < b ? -1 : a > b ? 1 : 0;
  };
  switch (operator) {
    case 'exists':
      return had.length > 0;
    case '!exists':
      return had.length === 0;
    case '==':
    case 'in':
      return had.some((value) => wanted.includes(value));
    case '!=':
    case '!in':
      return !isEmpty && had.every((value) => !wanted.includes(value));
    case '=~':
      return had.some(isMatch);
    case '!~':
      return !isEmpty && !had.some(isMatch);
    case '<':
      return had.some((value) => order(value, bound) < 0);
    case '<=':
      return had.some((value) => order(value, bound) <= 0);
    case '>':
      return had.some((value) => order(value, bound) > 0);
    case '>=':
      return had.some((value) => order(value, bound) >= 0);
  }
}

const hosts: fc.Arbitrary<QueriedHost> = fc.record({
  connected: fc.boolean(),
  attributes: fc.dictionary(fc.constantFrom('a', 'b.c', 'ecs.instance-type'), values, { noNullPrototype: true }),
  groups: fc.dictionary(fc.constantFrom('x', 'xy', 'abac', 'b12', 'a b'), fc.integer({ min: 1, max: 3 }), {
    noNullPrototype: true,
  }),
  taskCount: fc.nat(3),
});

describe('of random expressions', () => {
  it('what is printed is parsed as the same, however it is written', () => {
    fc.assert(
      fc.property(queries, fc.infiniteStream(fc.nat(60)), (query, draws) => {
        const pick = (ways: readonly string[]): string => ways[draws.next().value % ways.length] ?? '';
        expect(parseQuery(print(query, pick))).toEqual(query);
      }),
      { numRuns: 2000 },
    );
  });

  it('each is true of a host where the naive reading is', () => {
    fc.assert(
      fc.property(queries, hosts, (query, host) => {
        const text = print(query, ([first = '']) => first);
        expect(hostQuery(text).matches(host)).toBe(naive(query, host));
      }),
      { numRuns: 2000 },
    );
  });

  it('no text makes the parser fail in another way than by a refusal that names a column within it', () => {
    const pieces = fc.constantFrom(
      ...'attribute:a|==|=~|in|[|]|(|)|and|or|not|!|"|\'|\\|{3}|*|b|,| |&&|||'.split('|'),
      '||',
      '😀',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 12 }).map((some) => some.join(' ')),
        ),
        (text) => {
          try {
            checkedQuery(parameterFault, 'filter', text);
          } catch (error) {
            const [, column = '0'] = /^filter, column (\d+): expected /.exec(String((error as Error).message)) ?? [];
            expect(Number(column)).toBeGreaterThan(0);
            expect(Number(column)).toBeLessThanOrEqual(Array.from(text).length + 1);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
