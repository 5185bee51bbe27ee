/**
 * The order of keys and strings in both stores: by UTF-8 bytes, which is the order of code points and not JavaScript's own (UTF-16
 * units sort the code points above U+FFFF before U+E000).
 */

/** Negative when a sorts before b, zero when they are the same text. */
export const compareUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const lastCodePoint = 0x10ffff;
const surrogates = { first: 0xd800, afterLast: 0xe000 };

/** The smallest string that sorts after every string with this prefix; undefined when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const codePoints = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (codePoints.at(-1) === lastCodePoint) codePoints.pop();
  const last = codePoints.pop();
  if (last === undefined) return undefined;
  const next = last + 1 === surrogates.first ? surrogates.afterLast : last + 1;
  return String.fromCodePoint(...codePoints, next);
}
