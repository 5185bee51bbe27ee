/**
 * The cluster query language of ECS (ecs-semantics.md 3.3) as a tree. `not` binds closer than `and`, `and` closer than `or`; keywords
 * in any case. Values with spaces, quotes, commas, brackets, & or | stand in quotes, where a backslash takes the next character along;
 * patterns (pattern.ts) in quotes or without, then up to the next space or the parenthesis that closes one outside. Knows no host.
 */
import { compilePattern, PatternFault } from './pattern.ts';
import { type Comparator, type Subject, subjectNames, subjectOf } from './subjects.ts';

export interface Comparison {
  readonly is: 'comparison';
  readonly subject: string;
  readonly operator: Comparator;
  /** None of exists, one of most, several of in. */
  readonly values: readonly string[];
}

export type Query =
  | Comparison
  | { readonly is: 'not'; readonly part: Query }
  | { readonly is: 'and' | 'or'; readonly parts: readonly Query[] };

/** Its message says what was expected and what is there. */
export class QueryFault extends Error {
  /** Of the first character that is wrong; the first of all is in column 1. */
  readonly column: number;

  constructor(text: string, at: number, expected: string) {
    const rest = Array.from(text.slice(at));
    const found = rest.length > 20 ? `${rest.slice(0, 20).join('')}…` : rest.join('');
    super(`expected ${expected}, found ${found === '' ? 'the end' : `"${found}"`}`);
    this.column = Array.from(text.slice(0, at)).length + 1;
  }
}

export const mostCharacters = 2000;
const mostDepth = 50;
/** Of all patterns of an expression together: so much may be looked at for a character of a value. */
export const mostPatternStates = 500;

const words: Readonly<Record<string, Comparator>> = {
  equals: '==',
  not_equals: '!=',
  greater_than: '>',
  greater_than_equal: '>=',
  less_than: '<',
  less_than_equal: '<=',
  not_exists: '!exists',
  not_in: '!in',
  matches: '=~',
  not_matches: '!~',
};

/** Throws QueryFault. */
export const parseQuery = (text: string): Query => new QueryParser(text).whole();

class QueryParser {
  readonly #text: string;
  #at = 0;
  #states = mostPatternStates;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Query {
    const query = this.#either(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail('and, or or the end');
    return query;
  }

  #fail(expected: string, at = this.#at): never {
    throw new QueryFault(this.#text, at, expected);
  }

  #take(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(): void {
    this.#take(/\s*/y);
  }

  #next(form: RegExp): string | undefined {
    this.#skip();
    return this.#take(form);
  }

  #either(depth: number): Query {
    return this.#chain('or', /\|\||or\b/iy, () => this.#both(depth));
  }

  #both(depth: number): Query {
    return this.#chain('and', /&&|and\b/iy, () => this.#single(depth));
  }

  #chain(is: 'and' | 'or', sign: RegExp, part: () => Query): Query {
    const first = part();
    const parts = [first];
    while (this.#next(sign) !== undefined) parts.push(part());
    return parts.length === 1 ? first : { is, parts };
  }

  #single(depth: number): Query {
    this.#skip();
    if (depth > mostDepth) this.#fail(`at most ${mostDepth} levels`);
    if (this.#take(/!|not\b/iy) !== undefined) return { is: 'not', part: this.#single(depth + 1) };
    if (this.#take(/\(/y) === undefined) return this.#comparison();
    const inner = this.#either(depth + 1);
    if (this.#next(/\)/y) === undefined) this.#fail('and, or or a closing parenthesis');
    return inner;
  }

  #comparison(): Query {
    const at = this.#at;
    const name = this.#take(/attribute:[\w.\\/-]{1,128}|\w+(?::\w+)?/y) ?? '';
    const subject = subjectOf(name);
    if (subject === undefined) return this.#fail(`one of ${subjectNames}`, at);
    this.#skip();
    const from = this.#at;
    const sign = this.#take(/[=!]=|[<>]=?|[=!]~|!(?:exists|in)\b|[a-z_]+\b/iy)?.toLowerCase() ?? '';
    const operator = subject.takes.find((each) => each === (Object.hasOwn(words, sign) ? words[sign] : sign));
    if (operator === undefined) return this.#fail(`an operator that ${name} takes (${subject.takes.join(' ')})`, from);
    return { is: 'comparison', subject: name, operator, values: this.#values(operator, subject) };
  }

  #values(operator: Comparator, subject: Subject): string[] {
    if (operator === 'exists' || operator === '!exists') return [];
    this.#skip();
    if (operator === '=~' || operator === '!~') return [this.#pattern()];
    if (operator !== 'in' && operator !== '!in') return [this.#value(subject)];
    if (this.#take(/\[/y) === undefined) this.#fail('a list like [a, b]');
    const values: string[] = [];
    do {
      this.#skip();
      values.push(this.#value(subject));
    } while (this.#next(/,/y) !== undefined);
    if (this.#take(/\]/y) === undefined) this.#fail('a comma or a closing bracket');
    return values;
  }

  #value({ form, read }: Subject): string {
    const at = this.#at;
    const value =
      this.#quoted()?.replaceAll(/\\(['"\\])/g, '$1') ?? this.#take(/[^\s()[\],'"&|=!<>~][^\s()[\],'"&|]*/y);
    if (value === undefined || read(value) === undefined) return this.#fail(form, at);
    return value;
  }

  /** What is between the quotes. */
  #quoted(): string | undefined {
    const [quote] = this.#text.slice(this.#at, this.#at + 1).match(/['"]/) ?? [];
    if (quote === undefined) return undefined;
    const found = this.#take(quote === '"' ? /"(?:[^"\\]|\\.)*"/sy : /'(?:[^'\\]|\\.)*'/sy);
    return found?.slice(1, -1) ?? this.#fail(`a closing ${quote}`, this.#text.length);
  }

  #pattern(): string {
    const at = this.#at;
    const quoted = this.#quoted();
    const pattern = quoted ?? this.#bare();
    if (pattern === '' && quoted === undefined) this.#fail('a pattern');
    try {
      this.#states -= compilePattern(pattern, this.#states).states;
    } catch (error) {
      if (!(error instanceof PatternFault)) throw error;
      this.#fail(`${error.message} in the pattern`, at + (quoted === undefined ? 0 : 1) + error.at);
    }
    return pattern;
  }

  #bare(): string {
    const from = this.#at;
    for (let open = 0; this.#at < this.#text.length; ) {
      const piece = this.#take(/\[(?:[^\]\\]|\\.)*\]|\\.|[(]|(?!&&|\|\|)[^\s)]/sy);
      if (piece === '(') open += 1;
      if (piece !== undefined) continue;
      if (open === 0 || this.#take(/\)/y) === undefined) break;
      open -= 1;
    }
    return this.#text.slice(from, this.#at);
  }
}
