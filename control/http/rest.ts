/**
 * REST under /v1: a route for each row of the table of operations, ending in the same handlers as the ECS wire. ECS' member names,
 * times in RFC 3339, `limit` for ECS' maxResults; unknown members are refused by their path.
 */
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { Operation } from '../../core/api/operation.ts';
import { type OperationName, operations } from '../../core/api/operations.ts';
import { unknownMembers, unwrap } from '../../core/api/unknown-members.ts';
import { GantryError } from '../../core/errors.ts';
import type { OperationContext } from '../operations/context.ts';
import type { ApiOptions } from './app.ts';
import { asGantryError, callWith } from './call.ts';
import { exchangeOf } from './exchange.ts';
import { problemResponse } from './problem.ts';
import { parseJsonObject, receive } from './request.ts';
import { type CallKind, kindOf } from './throttle.ts';

export function addRestRoutes(app: Hono, options: ApiOptions): void {
  for (const name of Object.keys(operations) as OperationName[]) {
    const operation: Operation = operations[name];
    app.on(operation.rest.method, honoPath(operation.rest.path), (c) => {
      exchangeOf(c).operation = name;
      return answerRest(
        c,
        options,
        async (context, body) => {
          const output = await callWith(name, options.handlers, context, () => restInput(c, operation, body));
          return Response.json(output, { status: operation.rest.status });
        },
        kindOf(operation),
      );
    });
  }
}

/** Runs what a route does, with a principal, and turns what it throws into a problem. */
export async function answerRest(
  c: Context,
  options: ApiOptions,
  answer: (context: OperationContext, body: Uint8Array) => Promise<Response>,
  kind: CallKind = 'read',
): Promise<Response> {
  const exchange = exchangeOf(c);
  const { requestId } = exchange;
  try {
    const { context, body } = await receive(c, options, { requestId, kind });
    return await answer(context, body);
  } catch (thrown) {
    const error = asGantryError(thrown, requestId, (fault) =>
      options.deps.log.error({ err: fault, requestId }, 'a request failed'),
    );
    exchange.error = error.code;
    return problemResponse(error, requestId);
  }
}

/** `{task}` of the table is `:task` for Hono. */
const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Members from the path, and the rest from the query (GET, DELETE) or the body. */
export function restInput(c: Context, operation: Operation, body: Uint8Array): Record<string, unknown> {
  const fromBody = operation.rest.method === 'POST' || operation.rest.method === 'PUT';
  const given = fromBody ? parseJsonObject(body) : queryMembers(c, operation.input);
  const fromPath = c.req.param();
  for (const name of Object.keys(fromPath))
    if (given[name] !== undefined && given[name] !== fromPath[name])
      throw new GantryError('InvalidParameterException', `${name} is given twice: in the path and beside it.`, {
        field: name,
      });
  const input = { ...given, ...fromPath };
  const unknown = unknownMembers(operation.input, input)[0];
  if (unknown !== undefined)
    throw new GantryError('InvalidParameterException', `${operation.name} has no member ${unknown}.`, {
      field: unknown,
      hint: 'GET /openapi.json describes what it takes.',
    });
  return input;
}

/** Query parameters are text; the schema says which are numbers, booleans and lists (by repetition). */
function queryMembers(c: Context, schema: z.ZodType): Record<string, unknown> {
  const shape = schema instanceof z.ZodObject ? schema.shape : {};
  const members: Record<string, unknown> = {};
  for (const [parameter, values] of Object.entries(c.req.queries())) {
    const name = parameter === 'limit' && Object.hasOwn(shape, 'maxResults') ? 'maxResults' : parameter;
    const known: unknown = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const inner = known instanceof z.ZodType ? unwrap(known) : undefined;
    members[name] = inner instanceof z.ZodArray ? values : coerce(inner, values.at(-1) ?? '');
  }
  return members;
}

function coerce(schema: z.ZodType | undefined, text: string): unknown {
  if (schema instanceof z.ZodNumber && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (schema instanceof z.ZodBoolean && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
