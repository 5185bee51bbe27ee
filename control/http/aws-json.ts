/**
 * The ECS wire protocol, AWS JSON 1.1 at `POST /` (reference: the SDK's model). Unknown members are ignored, as AWS does; timestamps
 * are epoch seconds with milliseconds; every client's fault is HTTP 400 with `__type` and `message`.
 */
import type { Context } from 'hono';
import { operations, wireOperationNamed } from '../../core/api/operations.ts';
import { putMember } from '../../core/compact.ts';
import { errorTraits, GantryError } from '../../core/errors.ts';
import type { ApiOptions } from './app.ts';
import { asGantryError, callWith } from './call.ts';
import { exchangeOf } from './exchange.ts';
import { parseJsonObject, receive } from './request.ts';
import { type CallKind, kindOf } from './throttle.ts';

export const targetPrefix = 'AmazonEC2ContainerServiceV20141113.';
const contentType = 'application/x-amz-json-1.1';

export async function answerAwsJson(c: Context, options: ApiOptions): Promise<Response> {
  const exchange = exchangeOf(c);
  const { requestId } = exchange;
  try {
    const target = c.req.header('x-amz-target');
    const { context, body } = await receive(c, options, { requestId, kind: kindOfTarget(target) });
    const name = await operationOf(target);
    exchange.operation = name;
    const output = await callWith(name, options.handlers, context, () => parseJsonObject(body));
    return c.body(JSON.stringify(secondsForDates(output)), 200, { 'content-type': contentType });
  } catch (thrown) {
    const error = asGantryError(thrown, requestId, (fault) =>
      options.deps.log.error({ err: fault, requestId }, 'a request failed'),
    );
    exchange.error = error.code;
    return wireError(error, requestId);
  }
}

export const wireError = (error: GantryError, requestId: string): Response =>
  new Response(JSON.stringify(errorBody(error)), {
    status: errorTraits[error.code].wireStatus,
    headers: {
      'content-type': contentType,
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.code,
      ...(errorTraits[error.code].retryable && { 'retry-after': '1' }),
    },
  });

/** What nobody knows counts as a mutation, which is what there may be less of. */
function kindOfTarget(target = ''): CallKind {
  const known = wireOperationNamed(target.slice(targetPrefix.length));
  return known === undefined ? 'mutation' : kindOf(operations[known]);
}

async function operationOf(target: string | undefined) {
  if (target === undefined || !target.startsWith(targetPrefix))
    throw new GantryError(
      'UnknownOperationException',
      `The header X-Amz-Target must name an operation as ${targetPrefix}RunTask does.`,
    );
  const name = target.slice(targetPrefix.length);
  const known = wireOperationNamed(name);
  if (known !== undefined) return known;
  const { operationsNotBuilt } = await import('../../core/api/operations-not-built.ts');
  if (operationsNotBuilt.has(name))
    throw new GantryError('UnsupportedFeatureException', `Gantry does not support the operation ${name} yet.`);
  throw new GantryError('UnknownOperationException', `There is no operation ${name}.`);
}

/** Without the hint a reader of a stock client would not learn what to do: it has one place for text. */
const errorBody = (error: GantryError) => ({
  __type: error.code,
  message: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
  ...(error.resourceIds !== undefined && { resourceIds: error.resourceIds }),
});

/** A copy first, and no replacer: JSON.stringify would call it for each member, which takes three times as long. */
function secondsForDates(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(secondsForDates);
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) putMember(copy, name, secondsForDates(member));
  return copy;
}
