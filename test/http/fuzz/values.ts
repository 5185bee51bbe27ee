/**
 * Values by the schemas of the table of operations: as they should be, and as nobody should send them. Names of what exists come from the
 * world that is asked, so that many requests reach what handlers do with them.
 */
import fc from 'fast-check';
import { z } from 'zod';
import { unwrap } from '../../../core/api/unknown-members.ts';

/** What exists, by the member that names it. */
export type Pool = Readonly<Record<string, readonly unknown[]>>;

/** Stands in JSON for text that JSON.stringify would not write. */
const rawMark = '\u0001raw:';
const raw = (text: string): string => `${rawMark}${text}\u0001`;
export const toJson = (value: unknown): string =>
  (JSON.stringify(value) ?? '').replaceAll(/"\\u0001raw:([^"]*?)\\u0001"/g, '$1');

const own = (name: string, value: unknown): object => Object.fromEntries([[name, value]]);
const nested = (depth: number, open: string, close: string): string => raw(open.repeat(depth) + close.repeat(depth));

const oddTexts = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  'a\udfffb',
  '\u202etxt',
  'é'.repeat(300),
  'x'.repeat(256),
  'x'.repeat(70_000),
  '💥'.repeat(40),
  '../../etc/passwd',
  'a/b',
  '%2e%2e%2f%00',
  '#',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'arn:aws:ecs:us-east-1:000000000000:task/default/',
  'arn:aws:ecs:us-east-1:000000000000:cluster/__proto__',
  'arn:aws:ecs:eu-west-1:123456789012:task/default/0123456789abcdef0123456789abcdef',
  'arn:aws:iam::000000000000:role/x',
  'arn:::::',
  'family:99999999999999999999',
  'family:-1',
  'attribute:x == y',
  '((((((((((',
  'not '.repeat(2000),
  '('.repeat(30_000),
  'attribute:a =~ (a+)+$',
  "'; DROP TABLE items; --",
  'eyJhIjoxfQ',
  '1e999',
  'null',
];

const oddNumbers = [0, -1, -0, 1.5, 101, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER + 2, -(2 ** 63), 1e308, 5e-324];
const rawNumbers = ['1e999', '-1e999', '1E400', '00', '1.', '0x10', 'NaN', 'Infinity', '9'.repeat(400)];

/** What no member asks for. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 4, arbitrary: fc.constantFrom(...oddNumbers, ...rawNumbers.map(raw)) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      [],
      {},
      [null],
      [[[]]],
      own('__proto__', { polluted: true }),
      own('constructor', own('prototype', { polluted: true })),
      own('toJSON', 'x'),
      own('then', 'x'),
      { length: 1e9 },
      raw('{"a":1,"a":2}'),
      nested(50, '[', ']'),
      nested(3000, '[', ']'),
      nested(20_000, '[', ']'),
      nested(4000, '{"a":', '1}').replace('1}'.repeat(4000), `1${'}'.repeat(4000)}`),
      Array.from({ length: 101 }, (_, index) => `n${index}`),
      Array.from({ length: 3000 }, () => 'x'),
      Array.from({ length: 3000 }, () => ({})),
      Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`m${index}`, index])),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
);

/** An input of this schema; members by their names where the pool has some. */
export function valid(schema: z.ZodType, pool: Pool, name = ''): fc.Arbitrary<unknown> {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return validObject(inner, pool);
  if (inner instanceof z.ZodArray) {
    const { element } = inner;
    const item = element instanceof z.ZodType ? valid(element, pool, name) : someText;
    return fc.oneof(
      { weight: 3, arbitrary: fc.tuple(item) },
      { weight: 1, arbitrary: fc.array(item, { maxLength: 3 }) },
    );
  }
  const fitting = (pool[name] ?? []).filter((value) => inner.safeParse(value).success);
  return fitting.length > 0 ? fc.constantFrom(...fitting) : validScalar(inner, pool);
}

/** Optional by their schemas, as the one or the other of them may be left out. */
const neededByHandlers: ReadonlySet<string> = new Set([
  'name',
  'image',
  'memory',
  'targetId',
  'capacityProvider',
  'taskDefinition',
]);

/** The value once in so many times. */
export const oneIn = <T>(times: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 1, arbitrary: value }, { weight: times - 1, arbitrary: fc.constant(undefined) });

function validObject(schema: z.ZodObject, pool: Pool): fc.Arbitrary<unknown> {
  const members = Object.entries(schema.shape).flatMap(([name, member]) => {
    // What Gantry does not honour is mostly refused: it comes by way of the mutations.
    if (!(member instanceof z.ZodType) || unwrap(member) instanceof z.ZodUnknown) return [];
    const value = valid(member, pool, name);
    const isNeeded = !member.safeParse(undefined).success || neededByHandlers.has(name);
    return [[name, isNeeded ? value : oneIn(4, value)] as const];
  });
  return fc
    .record(Object.fromEntries(members))
    .map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)));
}

function validScalar(schema: z.ZodType, pool: Pool): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodEnum) return fc.constantFrom(...schema.options);
  if (schema instanceof z.ZodLiteral) return fc.constantFrom(...schema.values);
  if (schema instanceof z.ZodBoolean) return fc.boolean();
  if (schema instanceof z.ZodNumber) return fc.integer({ min: 1, max: 120 });
  if (schema instanceof z.ZodISODateTime)
    return fc
      .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (schema instanceof z.ZodRecord) return someRecord;
  if (schema instanceof z.ZodUnion)
    return fc.oneof(...schema.options.flatMap((one) => (one instanceof z.ZodType ? [valid(one, pool)] : [])));
  return someText;
}

/** Made once: making an arbitrary of texts takes longer than thousands of texts. */
const someText = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/), fc.string({ maxLength: 12 }));
const someRecord = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.string({ maxLength: 8 }), { maxKeys: 2 });

type Change = 'replace' | 'delete' | 'repeat' | 'rename' | 'add';
export interface Mutation {
  /** Which part of the value, counted through. */
  readonly at: number;
  readonly change: Change;
  readonly value: unknown;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  change: fc.constantFrom<Change>('replace', 'replace', 'replace', 'delete', 'repeat', 'rename', 'add'),
  value: hostile,
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
  return [path, ...entries.flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

/** A copy with one part of it changed. */
export function mutated(value: unknown, { at, change, value: other }: Mutation): unknown {
  const paths = pathsOf(value);
  return changed(value, paths[at % paths.length] ?? [], change, other);
}

function changed(value: unknown, [step, ...rest]: Path, change: Change, other: unknown): unknown {
  if (step === undefined) return atPlace(value, change, other);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (rest.length === 0 && change === 'delete') return items.filter((_, index) => index !== step);
    return items.map((item, index) => (index === step ? changed(item, rest, change, other) : item));
  }
  const entries = Object.entries(Object(value));
  if (rest.length === 0 && change === 'delete') return Object.fromEntries(entries.filter(([name]) => name !== step));
  if (rest.length === 0 && change === 'rename')
    return Object.fromEntries(entries.map(([name, member]) => [name === step ? `${name}X` : name, member]));
  return Object.fromEntries(
    entries.map(([name, member]) => [name, name === step ? changed(member, rest, change, other) : member]),
  );
}

function atPlace(value: unknown, change: Change, other: unknown): unknown {
  if (change === 'repeat') return Array.isArray(value) ? Array.from({ length: 150 }, () => value[0]) : [value, value];
  if (change !== 'add' || typeof value !== 'object' || value === null || Array.isArray(value)) return other;
  const name = typeof other === 'string' && other.length < 300 ? other : '__proto__';
  return Object.fromEntries([...Object.entries(value), [name, other]]);
}
