/** What both transports read of a request before anything else, and the headers that every answer has. */
import type { Context } from 'hono';
import { GantryError } from '../../core/errors.ts';
import type { OperationContext } from '../operations/context.ts';
import type { ApiOptions } from './app.ts';
import { callerOf } from './caller.ts';
import { exchangeOf } from './exchange.ts';
import type { CallKind } from './throttle.ts';

/** Longest body: a task definition of 64 KiB and overrides fit many times over. */
export const maxBodyBytes = 1024 * 1024;

export interface ReceivedRequest {
  readonly context: OperationContext;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Reads the body and finds out who asks, and whether they may ask so often. Throws a GantryError. */
export async function receive(
  c: Context,
  options: ApiOptions,
  { requestId, kind }: { readonly requestId: string; readonly kind: CallKind },
): Promise<ReceivedRequest> {
  const { deps, throttle } = options;
  throttle?.admitAddress(c.env);
  const { body, principal } = await recognised(c, options);
  exchangeOf(c).principal = principal.arn;
  throttle?.admit(principal, kind);
  const invocationId = c.req.header('amz-sdk-invocation-id');
  const ofCaller = { principal, caller: callerOf(c), ...(invocationId !== undefined && { invocationId }) };
  return { body, context: { deps, requestId, ...ofCaller } };
}

async function recognised(c: Context, { authenticator, throttle }: ApiOptions) {
  try {
    const body = await readBody(c);
    const request = { method: c.req.method, url: new URL(c.req.url), headers: c.req.raw.headers, body };
    return { body, principal: await authenticator.authenticate(request, c.env) };
  } catch (error) {
    throttle?.countStranger(c.env);
    throw error;
  }
}

async function readBody(c: Context): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new GantryError('RequestEntityTooLargeException', `The request body is larger than ${maxBodyBytes} bytes.`);
  if (Number(c.req.header('content-length') ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}

/**
 * An empty body is an empty object, and members that are null count as absent, as AWS' clients and services have it. Throws
 * SerializationException where it is no JSON object.
 */
export function parseJsonObject(body: Uint8Array): Record<string, unknown> {
  const wrong = (why: string, cause?: unknown) =>
    new GantryError('SerializationException', `The request body must be a JSON object: ${why}.`, { cause });
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : 'it cannot be read', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`it is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}`);
  return membersWithoutNulls(value, 1);
}

/** Deeper than anything that an operation takes, and not so deep that whoever walks through it runs out of stack. */
const mostLevels = 64;

/** No operation takes numbers beyond, and no store has them. */
const numbers = { smallest: 1e-100, largest: 1e100 };

function withoutNulls(value: unknown, level: number): unknown {
  if (typeof value === 'number' && value !== 0) {
    const size = Math.abs(value);
    if (size >= numbers.smallest && size <= numbers.largest) return value;
    throw new GantryError('SerializationException', 'The request body has a number that is out of range.');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (level > mostLevels)
    throw new GantryError('SerializationException', `The request body is nested more than ${mostLevels} levels deep.`);
  return Array.isArray(value) ? value.map((item) => withoutNulls(item, level + 1)) : membersWithoutNulls(value, level);
}

const membersWithoutNulls = (object: object, level: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object).flatMap(([name, member]) =>
      member === null ? [] : [[name, withoutNulls(member, level + 1)]],
    ),
  );
