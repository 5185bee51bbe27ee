/** What a command printed as a text for review: escapes visible, JSON laid out, ids by the order in which they appear. */
import type { Ended } from './desk.ts';

export function transcript(command: string, { code, stdout, stderr }: Ended): string {
  const parts = [`$ gantry ${command}`, layOut(stdout), ...(stderr === '' ? [] : ['--- standard error', stderr])];
  return `${stableIds(parts.map((part) => visible(stableDay(part.trimEnd()))).join('\n'))}\n--- exit code ${code}\n`;
}

/** In which year the world begins is its own business. */
export const stableDay = (text: string): string => text.replaceAll(/\b\d{4}-01-01T/g, '2026-01-01T');

const visible = (text: string): string => text.replaceAll('\u001b', '␛').replaceAll('\r', '␍');

const layOut = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line.startsWith('{') ? JSON.stringify(JSON.parse(line), null, 2) : line))
    .join('\n');

/** `1111…` for the first, whole or as short as people read them. */
function stableIds(text: string): string {
  const known: string[] = [];
  return text.replaceAll(/\b(?:[0-9a-f]{32}|[0-9a-f]{12})\b/g, (id) => {
    const short = id.slice(0, 12);
    if (short === '000000000000') return id; // An account.
    if (!known.includes(short)) known.push(short);
    return '123456789abcdef'.charAt(known.indexOf(short)).repeat(id.length);
  });
}
