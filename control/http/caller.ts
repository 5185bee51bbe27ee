/** From where a request comes: what its headers say and what whoever runs the app knows, Node or Lambda. */
import type { Context } from 'hono';
import { compact } from '../../core/compact.ts';
import type { Caller } from '../operations/context.ts';

const mostCharacters = 200;

export function callerOf(c: Context): Caller {
  const { incoming, requestContext } = Object(c.env);
  const { http, authorizer } = Object(requestContext);
  return compact({
    transport: c.req.path === '/' ? ('ecs' as const) : ('rest' as const),
    sourceIp: textOf(Object(Object(incoming).socket).remoteAddress ?? Object(http).sourceIp),
    accessKeyId: textOf(Object(Object(authorizer).iam).accessKey),
    forwardedFor: textOf(c.req.header('x-forwarded-for')),
    userAgent: textOf(c.req.header('user-agent')),
  });
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, mostCharacters) : undefined;
