/** Answers in pages. A token holds the key of the last thing shown, so that what comes and goes between pages shifts nothing. */
import { Ec2Error, invalidValue } from './errors.ts';

interface PageRequest {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

interface PageRules {
  /** Of the list: a token of one does not do for another. */
  readonly list: string;
  /** EC2's bounds of MaxResults for it. */
  readonly bounds: readonly [min: number, max: number];
  /** Never more than that on a page, whatever was asked for. */
  readonly pageSize: number | undefined;
}

export function paged<T>(
  things: readonly T[],
  keyOf: (thing: T) => string,
  { MaxResults, NextToken }: PageRequest,
  { list, bounds: [min, max], pageSize }: PageRules,
): { page: T[]; NextToken?: string } {
  if (MaxResults !== undefined && !(Number.isInteger(MaxResults) && MaxResults >= min && MaxResults <= max)) {
    throw invalidValue('MaxResults', MaxResults, `It must be between ${min} and ${max}.`);
  }
  const size = Math.min(MaxResults ?? max, pageSize ?? max);
  const after = NextToken === undefined ? undefined : keyIn(NextToken, list);
  const rest = things
    .map((thing) => ({ thing, key: keyOf(thing) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .filter(({ key }) => after === undefined || key > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return {
    page: page.map(({ thing }) => thing),
    ...(last !== undefined && rest.length > size && { NextToken: tokenFor(list, last.key) }),
  };
}

const tokenFor = (list: string, key: string): string => Buffer.from(`${list}\n${key}`).toString('base64url');

function keyIn(token: string, list: string): string {
  const [owner, key] = Buffer.from(token, 'base64url').toString().split('\n');
  if (owner !== list || key === undefined) {
    throw new Ec2Error('InvalidNextToken', `The token '${token}' is invalid`);
  }
  return key;
}
