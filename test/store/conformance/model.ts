import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, CommitResult, Condition, Item, Json, Path, Table } from '../../../control/store/table.ts';
import { TableUsageError } from '../../../control/store/values.ts';
import { invalid, ModelTable } from './model-table.ts';
import { commit, eventually, freshPartition, readThrough } from './support.ts';

/** Few names and small numbers, so that changes meet. */
const name = fc.constantFrom('a', 'b', 'name', 'tcp/80', 'x.y');
const scalar = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('', 'a', 'b'), fc.boolean());
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: scalar },
  fc.constantFrom<Json>(null, [], [1, 'a'], {}),
  fc.dictionary(name, fc.oneof(scalar, fc.dictionary(name, scalar, { maxKeys: 2, noNullPrototype: true })), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
);
const data = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
const path: fc.Arbitrary<Path> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(name) },
  fc.tuple(name, name),
  fc.tuple(name, name, name),
);

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ item: fc.constantFrom('exists' as const, 'absent' as const) }),
  fc.record({ path, is: fc.constantFrom('exists' as const, 'absent' as const) }),
  fc.record({ path, is: fc.constant('=' as const), value: scalar }),
  fc.record({
    path,
    is: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const),
    value: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('', 'a', 'b')),
  }),
);
const when = fc.oneof(fc.constant([]), fc.array(condition, { maxLength: 2 }));

const overlaps = (one: Path, other: Path): boolean =>
  one.slice(0, other.length).join('\n') === other.slice(0, one.length).join('\n');

interface Step {
  readonly kind: 'set' | 'add' | 'remove';
  readonly path: Path;
  readonly value: Json;
  readonly by: number;
}

/** Removals below a missing map are left to the SQLite suite: dynoxide permits them, DynamoDB does not. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('set' as const, 'add' as const),
    path,
    value,
    by: fc.integer({ min: -2, max: 2 }),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    path: fc.tuple(name),
    value: fc.constant(null),
    by: fc.constant(0),
  }),
);
const steps = fc.uniqueArray(step, {
  minLength: 1,
  maxLength: 3,
  comparator: (one, other) => overlaps(one.path, other.path),
});

/** Of a partition that each story replaces by its own. */
const key = fc.record({ pk: fc.constant('partition'), sk: fc.constantFrom('1', '2', '3') });

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(key, data, when, fc.boolean()).map(([at, members, terms, inHistory]): Change => {
    const history = inHistory ? { history: { pk: 'history', sk: `place of ${at.sk}` } } : {};
    return { kind: 'put', item: { ...at, v: 1, data: members, ...history }, when: terms };
  }),
  fc.tuple(key, steps, when).map(
    ([at, parts, terms]): Change => ({
      kind: 'update',
      key: at,
      set: parts.filter(({ kind }) => kind === 'set'),
      add: parts.filter(({ kind }) => kind === 'add'),
      remove: parts.filter(({ kind }) => kind === 'remove').map((part) => part.path),
      when: terms,
    }),
  ),
  fc.record({ kind: fc.constant('delete' as const), key, when }),
  fc.record({ kind: fc.constant('check' as const), key, when: fc.array(condition, { minLength: 1, maxLength: 2 }) }),
);

const skOf = (made: Change): string => (made.kind === 'put' ? made.item.sk : made.key.sk);
const commits = fc.uniqueArray(change, { minLength: 1, maxLength: 3, selector: skOf });
const story = fc.array(commits, { minLength: 1, maxLength: 12 });

function inPartition(pk: string, made: Change): Change {
  if (made.kind !== 'put') return { ...made, key: { ...made.key, pk } };
  const { history, ...stored } = made.item;
  const moved = history && { history: { ...history, pk: `history of ${pk}` } };
  return { ...made, item: { ...stored, pk, ...moved } };
}

async function outcomeOf(table: Table, parts: Change[]): Promise<CommitResult | typeof invalid> {
  try {
    return await commit(table, ...parts);
  } catch (error) {
    if (error instanceof TableUsageError) return invalid;
    throw error;
  }
}

export function describeModel(table: () => Table, stories: number): void {
  describe('random commits', () => {
    it('end as they do in a model of the table, and leave the same items', async () => {
      const tell = async (commitsTold: Change[][]): Promise<void> => {
        const pk = freshPartition();
        const model = new ModelTable();
        for (const changes of commitsTold) {
          const made = changes.map((one) => inPartition(pk, one));
          expect(await outcomeOf(table(), made)).toEqual(model.commit(made));
        }
        const expected: Item[] = model.items.toSorted((a, b) => (a.sk < b.sk ? -1 : 1));
        expect(await readThrough((options) => table().query(pk, options))).toStrictEqual(expected);
        const past = expected.filter(({ history }) => history !== undefined);
        await eventually(async () => {
          expect(await readThrough((options) => table().queryHistory(`history of ${pk}`, options))).toStrictEqual(past);
        });
      };
      await fc.assert(fc.asyncProperty(story, tell), { numRuns: stories });
    });
  });
}
