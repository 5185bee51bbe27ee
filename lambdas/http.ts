/** From an HTTP API's events (payload format 2.0) to a Hono app and back. Answers are text, and never larger than Lambda passes on. */
import type { Hono } from 'hono';
import { handle, type LambdaEvent } from 'hono/aws-lambda';
import { GantryError } from '../core/errors.ts';

export type HttpEvent = Extract<LambdaEvent, { rawPath: string }>;

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The gateway writes a line of its log about each request, under this id: it is the request's id here too. */
export function requestIdOf(event: unknown): string | undefined {
  const id: unknown = Object(Object(event).requestContext).requestId;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Lambda's limit is 6 MiB for the whole answer, in which the body is a JSON string: its quotes and backslashes count twice. */
const maxAnswerBytes = 6 * 1024 * 1024 - 64 * 1024;

/** `refuse` makes the answer to give instead of one that is too large. */
export function httpHandler(app: Hono, refuse: (event: HttpEvent, error: GantryError) => Response) {
  const run = handle(app, { isContentTypeBinary: () => false });
  return async (event: HttpEvent): Promise<HttpAnswer> => {
    const { statusCode, headers, body } = await run({ ...event, rawPath: withWholeArns(event.rawPath) });
    const bytes = Buffer.byteLength(JSON.stringify(body));
    if (bytes <= maxAnswerBytes) return { statusCode, headers: singleValues(headers ?? {}), body };
    const refusal = refuse(event, tooLarge(bytes));
    return { statusCode: refusal.status, headers: Object.fromEntries(refusal.headers), body: await refusal.text() };
  };
}

/** Of the ARNs that may stand in a path: what comes after the account. */
const arnInPath = /\/(arn:[^/]+:(?:(?:task|container-instance)\/[^/]+\/[^/]+|(?:cluster|task-definition)\/[^/]+))/g;

/** HTTP APIs hand the path on decoded, so that an ARN, one part of it, falls apart at its slashes. */
const withWholeArns = (path: string): string =>
  path.replaceAll(arnInPath, (_, arn: string) => `/${encodeURIComponent(arn)}`);

const singleValues = (headers: Record<string, string | string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));

const tooLarge = (bytes: number): GantryError =>
  new GantryError('LimitExceededException', `The answer would have ${bytes} bytes; at most ${maxAnswerBytes} pass.`, {
    hint: 'Ask for less at once: fewer names, or a smaller page (`limit`, `maxResults`).',
  });
