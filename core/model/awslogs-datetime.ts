/** `awslogs-datetime-format`: how a line begins that begins an event, in strftime's words, as a pattern that is quick on any text. */

const names = (list: string): string => `(?:${list})`;
const monthNames = 'January|February|March|April|May|June|July|August|September|October|November|December';
const dayNames = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';
const short = (list: string): string => names(list.replaceAll(/([A-Z][a-z]{2})[a-z]*/g, '$1'));

/** Those that Docker's driver knows. */
const directives: Readonly<Record<string, string>> = {
  a: short(dayNames),
  A: names(dayNames),
  b: short(monthNames),
  B: names(monthNames),
  d: '(?:0[1-9]|[12]\\d|3[01])',
  f: '\\d{6}',
  H: '(?:[01]\\d|2[0-3])',
  I: '(?:0\\d|1[0-2])',
  j: '(?:[0-2]\\d\\d|3[0-5]\\d|36[0-6])',
  L: '\\.\\d{3}',
  m: '(?:0[1-9]|1[0-2])',
  M: '[0-5]\\d',
  p: '[AP]M',
  S: '[0-5]\\d',
  w: '[0-6]',
  y: '\\d{2}',
  Y: '\\d{4}',
  z: '[+-]\\d{4}',
  Z: '[A-Z]{1,4}T',
  '%': '%',
};

/** Undefined where it has a directive that there is not, or none at all. */
export function datetimePattern(format: string): RegExp | undefined {
  let pattern = '';
  let hasDirective = false;
  for (const [part] of format.matchAll(/%.?|[^%]+/gs)) {
    const directive = part.startsWith('%') ? directives[part.slice(1)] : undefined;
    if (part.startsWith('%') && directive === undefined) return undefined;
    hasDirective ||= directive !== undefined;
    pattern += directive ?? part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  }
  return hasDirective ? new RegExp(pattern) : undefined;
}
