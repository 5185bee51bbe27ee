/**
 * The patterns of `=~`: what is regular of Java's regular expressions, matched against a whole value as Java's `matches` does. A value
 * is walked once, with all states of the pattern that it may be in, so that no pattern makes a long value take long. What is not
 * regular or not needed for names (backreferences, lookaround, flags, possessive quantifiers, classes in classes, \b and \p) is refused.
 */

/** Where a pattern goes wrong, and what was expected there. */
export class PatternFault extends Error {
  readonly at: number;

  constructor(at: number, expected: string) {
    super(expected);
    this.at = at;
  }
}

export interface Pattern {
  readonly states: number;
  matches(value: string): boolean;
}

type State =
  | { readonly takes: RegExp; readonly next: State }
  | { readonly edge: 'start' | 'end'; readonly next: State }
  | { readonly ways: State[] }
  | { readonly end: true };

/** Leads to what follows it; made anew for each repetition. */
type Part = (next: State) => State;

const mostRepeats = 1000;
const mostDepth = 50;

/** Throws PatternFault, also where it would have more than `most` states. */
export function compilePattern(text: string, most: number): Pattern {
  let states = 0;
  const count = (): void => {
    states += 1;
    if (states > most) throw new PatternFault(0, `no more than ${most} steps, repetitions written out`);
  };
  const start = new PatternParser(text, count).whole()({ end: true });
  return { states, matches: (value) => isMatch(start, value) };
}

function isMatch(start: State, value: string): boolean {
  const all = Array.from(value);
  let current = new Set<State>();
  const enter = (state: State, at: number, into: Set<State>): void => {
    if (into.has(state)) return;
    into.add(state);
    if ('ways' in state) for (const way of state.ways) enter(way, at, into);
    else if ('edge' in state && at === (state.edge === 'start' ? 0 : all.length)) enter(state.next, at, into);
  };
  enter(start, 0, current);
  for (const [at, character] of all.entries()) {
    const next = new Set<State>();
    for (const state of current) if ('takes' in state && state.takes.test(character)) enter(state.next, at + 1, next);
    if (next.size === 0) return false;
    current = next;
  }
  return [...current].some((state) => 'end' in state);
}

class PatternParser {
  readonly #text: string;
  readonly #count: () => void;
  #at = 0;

  constructor(text: string, count: () => void) {
    this.#text = text;
    this.#count = count;
  }

  whole(): Part {
    const part = this.#choice(0);
    if (this.#at < this.#text.length) throw new PatternFault(this.#at, 'the end of the pattern');
    return part;
  }

  #take(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text);
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #made<Made extends State>(state: Made): Made {
    this.#count();
    return state;
  }

  #choice(depth: number): Part {
    if (depth > mostDepth) throw new PatternFault(this.#at, `no more than ${mostDepth} groups in each other`);
    const first = this.#sequence(depth);
    const parts = [first];
    while (this.#take(/\|/y) !== null) parts.push(this.#sequence(depth));
    return parts.length === 1 ? first : (next) => this.#made({ ways: parts.map((part) => part(next)) });
  }

  #sequence(depth: number): Part {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text.charAt(this.#at)))
      parts.push(this.#repeated(depth));
    return (next) => parts.reduceRight((after, part) => part(after), next);
  }

  #repeated(depth: number): Part {
    const part = this.#atom(depth);
    const found = this.#take(/([*+?])|\{(\d{1,4})(,(\d{0,4}))?\}/y);
    if (found === null) return part;
    const [, sign, low, comma, high] = found;
    // Whether it takes few or many at first makes no difference to whether the whole value matches.
    this.#take(/\?/y);
    if (this.#take(/(?=[*+{])/y) !== null) throw new PatternFault(this.#at, 'no second quantifier');
    const least = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const most = sign === undefined ? boundOf(low, comma, high) : sign === '?' ? 1 : Number.POSITIVE_INFINITY;
    if (least > most || least > mostRepeats || (most > mostRepeats && most !== Number.POSITIVE_INFINITY))
      throw new PatternFault(this.#at, `a repetition up to ${mostRepeats}, the lesser number first`);
    return this.#repeat(part, least, most);
  }

  #repeat(once: Part, least: number, most: number): Part {
    const part: Part = (next) => {
      this.#count(); // Of nothing there would be no end of copies.
      return once(next);
    };
    return (next) => {
      let from = next;
      if (most === Number.POSITIVE_INFINITY) {
        const loop: { ways: State[] } = this.#made({ ways: [] });
        loop.ways.push(part(loop), next);
        from = loop;
      } else for (let more = least; more < most; more += 1) from = this.#made({ ways: [part(from), next] });
      for (let more = 0; more < least; more += 1) from = part(from);
      return from;
    };
  }

  #atom(depth: number): Part {
    const at = this.#at;
    if (this.#take(/\((\?:)?(?!\?)/y) !== null) {
      const inner = this.#choice(depth + 1);
      if (this.#take(/\)/y) === null) throw new PatternFault(this.#at, 'a closing parenthesis');
      return inner;
    }
    const edge = this.#take(/[\^$]/y)?.[0];
    if (edge !== undefined) return (next) => this.#made({ edge: edge === '^' ? 'start' : 'end', next });
    const takes = this.#single(at);
    return (next) => this.#made({ takes, next });
  }

  /** What takes one character is as it is in JavaScript, which for these means the same. */
  #single(at: number): RegExp {
    const [one] = this.#take(/\.|\[\^?(?:[^\]\\[&]|&(?!&)|\\.)*\]|\\.|[^\\[(*+?{]/suy) ?? [];
    if (one === undefined || /^\\[^\W_dDwWsStnrf]/.test(one))
      throw new PatternFault(at, 'a character, a class, an escape like \\d or \\. or a group');
    const plain = /^[^.[\\]/u.test(one)
      ? escaped(one)
      : one.replaceAll(/\\([^a-zA-Z0-9])/gu, (_, mark: string) => escaped(mark));
    try {
      return new RegExp(`^${plain}$`, 'u');
    } catch {
      throw new PatternFault(at, 'a class of characters');
    }
  }
}

const escaped = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** `{2}`, `{2,}`, `{2,5}`. */
function boundOf(low: string | undefined, comma: string | undefined, high: string | undefined): number {
  if (comma === undefined) return Number(low);
  return high === '' ? Number.POSITIVE_INFINITY : Number(high);
}
