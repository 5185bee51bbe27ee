/** Pages of lists: the opaque token that says where the next one begins, and taking a page from a stream of entries. */
import type { z } from 'zod';
import { GantryError } from '../../core/errors.ts';

const encodeToken = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

/** Throws InvalidParameterException where the token is not one that `encodeToken` made of such a position. */
export function decodeToken<T>(schema: z.ZodType<T>, token: string): T {
  const parsed = schema.safeParse(jsonOf(token));
  if (parsed.success) return parsed.data;
  throw new GantryError('InvalidParameterException', 'Invalid token.', {
    field: 'nextToken',
    hint: 'Pass the nextToken of the previous page unchanged, or none for the first page.',
  });
}

function jsonOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined; // No schema accepts that.
  }
}

const largestPage = 100;

/** How many entries to answer. Throws InvalidParameterException where the wish is not 1 to 100. */
export function pageSize(wish: number | undefined, field: 'maxResults' | 'limit'): number {
  if (wish === undefined) return largestPage;
  if (wish >= 1 && wish <= largestPage) return wish;
  throw new GantryError('InvalidParameterException', `${field} must be between 1 and ${largestPage}.`, { field });
}

/** The first `size` entries and, where there are more, the position of the last one taken. */
export async function takePage<T, Position>(
  entries: AsyncIterable<{ readonly position: Position; readonly entry: T }>,
  size: number,
): Promise<{ readonly taken: T[]; readonly resumeAfter: Position | undefined }> {
  const taken: T[] = [];
  let last: Position | undefined;
  for await (const { position, entry } of entries) {
    if (taken.length === size) return { taken, resumeAfter: last };
    taken.push(entry);
    last = position;
  }
  return { taken, resumeAfter: undefined };
}

/** `nextToken` as a member of an answer: left out at the end. */
export const nextTokenOf = (position: unknown): { nextToken?: string } =>
  position === undefined ? {} : { nextToken: encodeToken(position) };
