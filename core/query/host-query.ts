/**
 * An expression as a question to hosts. A comparison is not true of a host that lacks the subject, `!=`, `not_in` and `!~` among them,
 * as ECS has it; only `!exists` is. Of task:group a host has as many values as groups: `==` is true where one of them is equal, `!=`
 * where none is.
 */
import type { Refuse } from '../model/faults.ts';
import { type Comparison, mostCharacters, mostPatternStates, parseQuery, type Query, QueryFault } from './parse.ts';
import { compilePattern } from './pattern.ts';
import { attributeSubject, isLess, type QueriedHost, subjectOf } from './subjects.ts';

export interface HostQuery {
  matches(host: QueriedHost): boolean;
  /** `attribute:stack is dev`: what the host has of what is asked for, or of the first of it. */
  tell(host: QueriedHost): string;
  readonly attributes: readonly string[];
  /** What is placed on a host may change the answer. */
  readonly looksAtTasks: boolean;
  readonly countsTasks: boolean;
}

type Test = (host: QueriedHost) => boolean;

/** Of an expression that has been checked. */
export function hostQuery(expression: string): HostQuery {
  const query = parseQuery(expression);
  const subjects = [...new Set(subjectsOf(query))];
  const countsTasks = subjects.includes('runningTasksCount');
  return {
    matches: testOf(query),
    tell: (host) =>
      subjects
        .slice(0, 3)
        .map((name) => tellOf(name, host))
        .join(', '),
    attributes: subjects.flatMap((name) =>
      name.startsWith(attributeSubject) ? [name.slice(attributeSubject.length)] : [],
    ),
    looksAtTasks: countsTasks || subjects.includes('task:group'),
    countsTasks,
  };
}

/** Throws what `refuse` makes of it, naming the column. */
export function checkedQuery(refuse: Refuse, field: string, expression: string): HostQuery {
  if (expression.length > mostCharacters)
    throw refuse(field, `${field} must have at most ${mostCharacters} characters; it has ${expression.length}.`);
  try {
    return hostQuery(expression);
  } catch (error) {
    if (!(error instanceof QueryFault)) throw error;
    throw refuse(
      field,
      `${field}, column ${error.column}: ${error.message}.`,
      'It is an expression of the cluster query language, for example: attribute:stack == prod and task:group != web',
    );
  }
}

function subjectsOf(query: Query): readonly string[] {
  if (query.is === 'comparison') return [query.subject];
  return query.is === 'not' ? subjectsOf(query.part) : query.parts.flatMap(subjectsOf);
}

function tellOf(name: string, host: QueriedHost): string {
  const values = subjectOf(name)?.of(host) ?? [];
  return `${name} is ${values.length === 0 ? 'not set' : values.slice(0, 3).join(' and ')}`;
}

function testOf(query: Query): Test {
  if (query.is === 'comparison') return comparisonTest(query);
  if (query.is === 'not') {
    const test = testOf(query.part);
    return (host) => !test(host);
  }
  const tests = query.parts.map(testOf);
  return query.is === 'and' ? (host) => tests.every((test) => test(host)) : (host) => tests.some((test) => test(host));
}

/** By the values that a host has of the subject, as they are compared. */
type Says = (found: Key[]) => boolean;
type Key = string | number;

function comparisonTest(comparison: Comparison): Test {
  const subject = subjectOf(comparison.subject);
  if (subject === undefined) throw new Error(`the parser let ${comparison.subject} pass`);
  const keys = (values: readonly string[]): Key[] => values.flatMap((value) => subject.read(value) ?? []);
  const says = sayingOf(comparison, keys(comparison.values));
  return (host) => says(keys(subject.of(host)));
}

function sayingOf({ subject, operator, values }: Comparison, wanted: readonly Key[]): Says {
  const [bound = ''] = wanted;
  const none =
    (is: (key: Key) => boolean): Says =>
    (found) =>
      (found.length > 0 || subject === 'task:group') && !found.some(is);
  const isWanted = (key: Key): boolean => wanted.includes(key);
  const says: Readonly<Record<Comparison['operator'], () => Says>> = {
    exists: () => (found) => found.length > 0,
    '!exists': () => (found) => found.length === 0,
    '==': () => (found) => found.some(isWanted),
    in: () => (found) => found.some(isWanted),
    '!=': () => none(isWanted),
    '!in': () => none(isWanted),
    '<': () => (found) => found.some((key) => isLess(key, bound)),
    '<=': () => (found) => found.some((key) => !isLess(bound, key)),
    '>': () => (found) => found.some((key) => isLess(bound, key)),
    '>=': () => (found) => found.some((key) => !isLess(key, bound)),
    '=~': () => {
      const matches = matcher(values);
      return (found) => found.some(matches);
    },
    '!~': () => none(matcher(values)),
  };
  return says[operator]();
}

const mostRemembered = 1000;

/** Hosts have few different values: each is matched once. */
function matcher([text = '']: readonly string[]): (value: Key) => boolean {
  const pattern = compilePattern(text, mostPatternStates);
  const known = new Map<Key, boolean>();
  return (value) => {
    const before = known.get(value);
    if (before !== undefined) return before;
    if (known.size >= mostRemembered) known.clear();
    const matches = pattern.matches(String(value));
    known.set(value, matches);
    return matches;
  };
}
