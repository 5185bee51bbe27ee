/**
 * Lambda's filter criteria: which records wake a function at all. A pattern is evaluated as the service does; an operator that is not
 * known here is a failure, because it would pass for a filter that lets everything through.
 */

/** A record passes where one of the patterns matches, or where there are none. */
export const passes = (record: unknown, patterns: readonly string[]): boolean =>
  patterns.length === 0 || patterns.some((pattern) => matches(record, JSON.parse(pattern)));

function matches(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((rule) => satisfies(value, rule));
  return Object.entries(Object(pattern)).every(([member, rule]) => {
    if (member === '$or' && Array.isArray(rule)) return rule.some((choice) => matches(value, choice));
    return matches(Object(value)[member], rule);
  });
}

function satisfies(value: unknown, rule: unknown): boolean {
  if (typeof rule !== 'object' || rule === null) return value === rule;
  const [only] = Object.entries(rule);
  const test = operators[only?.[0] ?? ''];
  if (test === undefined) throw new Error(`the filter operator ${JSON.stringify(rule)} is not known here`);
  return test(value, only?.[1]);
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const operators: Readonly<Record<string, (value: unknown, argument: unknown) => boolean>> = {
  // Of leaves only: a member that is an object counts as absent for Lambda.
  exists: (value, argument) => (value !== undefined && (typeof value !== 'object' || value === null)) === argument,
  prefix: (value, argument) => text(value)?.startsWith(String(argument)) === true,
  suffix: (value, argument) => text(value)?.endsWith(String(argument)) === true,
  'equals-ignore-case': (value, argument) => text(value)?.toLowerCase() === String(argument).toLowerCase(),
  'anything-but': (value, argument) => {
    if (value === undefined) return false;
    if (typeof argument === 'object' && argument !== null && !Array.isArray(argument))
      return !satisfies(value, argument);
    return ![argument].flat().includes(value);
  },
  numeric: (value, argument) => typeof value === 'number' && inRange(value, Array.isArray(argument) ? argument : []),
};

/** `[">", 0, "<=", 5]` */
function inRange(value: number, bounds: readonly unknown[]): boolean {
  const compare: Readonly<Record<string, (bound: number) => boolean>> = {
    '=': (bound) => value === bound,
    '>': (bound) => value > bound,
    '>=': (bound) => value >= bound,
    '<': (bound) => value < bound,
    '<=': (bound) => value <= bound,
  };
  const pairs = bounds.flatMap((sign, index) =>
    index % 2 === 0 ? [[String(sign), Number(bounds[index + 1])] as const] : [],
  );
  return pairs.every(([sign, bound]) => compare[sign]?.(bound) === true);
}
