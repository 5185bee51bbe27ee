import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../core/query/pattern.ts';

const matches = (pattern: string, value: string): boolean => compilePattern(pattern, 500).matches(value);

describe('a pattern', () => {
  it.each([
    ['t2.*', 't2.small', true],
    ['t2', 't2.small', false],
    ['', '', true],
    ['', 'a', false],
    ['a|bc|', 'bc', true],
    ['a|bc|', '', true],
    ['a{2}', 'aaa', false],
    ['a{2,}', 'aaaa', true],
    ['a{1,3}', 'aaaa', false],
    ['(?:ab)+?', 'abab', true],
    ['[^a-c]\\d', 'x7', true],
    ['[^a-c]\\d', 'a7', false],
    ['[a\\-\\]]+', 'a-]', true],
    ['\\w+\\.\\w+', 'm5.large', true],
    ['a\\.b', 'axb', false],
    ['^a$', 'a', true],
    ['a^b', 'ab', false],
    ['.', '😀', true],
    ['.', '\n', false],
    ['[😀-😂]', '😁', true],
    ['\\$\\{x\\}', `$${'{x}'}`, true],
    ['(a*)*', 'aaa', true],
    ['((a?){3})*b', 'aab', true],
  ])('%s of %s: %s', (pattern, value, is) => {
    expect(matches(pattern, value)).toBe(is);
  });

  it.each(['(a+)+b', '(a|a)*b', '(a|aa|aaa|.*)*b', '(.*.*.*.*.*)*b'])('%s looks at a long value once', (pattern) => {
    expect(matches(pattern, 'a'.repeat(50_000))).toBe(false);
  });

  it('matches what JavaScript matches', () => {
    const atoms = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', '1', '\\.', '^', '$');
    const patterns = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        atoms,
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,}', '*?'))
          .map(([a, quantifier]) => `(?:${a})${quantifier}`),
      ),
    })).pattern;
    fc.assert(
      fc.property(
        patterns,
        fc.string({ unit: fc.constantFrom('a', 'b', '1', '.'), maxLength: 6 }),
        (pattern, value) => {
          expect(matches(pattern, value)).toBe(new RegExp(`^(?:${pattern})$`, 'u').test(value));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
