/** How an operation's input becomes a request of REST: members of the path, and the rest in the query or the body. */
import type { Operation } from './operation.ts';

export interface RequestForm {
  readonly method: Operation['rest']['method'];
  /** With its query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** The cluster is `default` where the path has one and the input none. */
export function requestForm(
  { method, path }: Operation['rest'],
  input: Readonly<Record<string, unknown>>,
): RequestForm {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, member = '']) => member);
  const members: Record<string, unknown> = { ...(inPath.includes('cluster') && { cluster: 'default' }), ...input };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, member: string) => encodeURIComponent(String(members[member])));
  const others = Object.fromEntries(Object.entries(members).filter(([member]) => !inPath.includes(member)));
  if (method === 'POST' || method === 'PUT') return { method, path: filled, body: others };
  return { method, path: filled + queryText(others) };
}

export function queryText(members: Readonly<Record<string, unknown>>): string {
  const query = Object.entries(members).flatMap(([member, value]) => {
    if (value === undefined) return [];
    const name = member === 'maxResults' ? 'limit' : member;
    return (Array.isArray(value) ? value : [value]).map((one) => `${name}=${encodeURIComponent(String(one))}`);
  });
  // In the order in which they are signed: not every client that signs sorts them.
  return query.length === 0 ? '' : `?${query.toSorted().join('&')}`;
}
