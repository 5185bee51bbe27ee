/** The HTTP side of this EC2: the query protocol in, XML out, errors included. Signatures are not verified, but there must be one. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Operation } from './actions/operation.ts';
import { Ec2Error, missingParameter } from './errors.ts';
import { errorOf, type Faults } from './faults.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';
import { readRequest } from './model/read-request.ts';
import { writeAnswer, writeError } from './model/write-answer.ts';

export interface SeenRequest {
  readonly action: string;
  /** As they were sent, for example `Filter.1.Name`. */
  readonly params: Readonly<Record<string, string>>;
}

interface Parts {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly faults: Faults;
  readonly requests: SeenRequest[];
  /** Before each request: brings the world up to its time. */
  advance(): void;
  /** After each request: something may be due later now. */
  changed(): void;
}

const apiVersion = '2016-11-15';

export const startServer = (parts: Parts): Promise<LoopbackServer> =>
  startLoopback((request, response) => serve(parts, request, response));

async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await text(request));
  const action = form.get('Action') ?? '';
  parts.requests.push({ action, params: paramsOf(form) });
  const fault = parts.faults.take(action);
  if (fault?.kind === 'refuse-connection') return void request.socket.destroy();
  const answer = answerTo(parts, request, form, fault && errorOf(fault));
  parts.changed();
  if (fault?.kind === 'lose-answer') return void request.socket.destroy();
  response.writeHead(answer.status, { 'content-type': 'text/xml;charset=UTF-8' }).end(answer.body);
}

function answerTo(
  parts: Parts,
  request: IncomingMessage,
  form: URLSearchParams,
  failure: Ec2Error | undefined,
): { status: number; body: string } {
  const requestId = randomUUID();
  try {
    parts.advance();
    requireSignature(request);
    if (failure !== undefined) throw failure;
    const { schema, run } = operationOf(parts.operations, form);
    const answer = run(readRequest(schema[4], parametersOf(form)));
    return { status: 200, body: writeAnswer(schema[2], schema[5], answer, requestId) };
  } catch (error) {
    if (error instanceof Ec2Error) return { status: error.status, body: writeError(error, requestId) };
    // A fault of this endpoint: shown, so that no test takes it for EC2's.
    const message = `test/ec2 failed: ${error instanceof Error ? error.stack : String(error)}`;
    return { status: 500, body: writeError({ code: 'InternalError', message }, requestId) };
  }
}

function requireSignature({ headers: { authorization = '' } }: IncomingMessage): void {
  if (/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[^/]+\/ec2\/aws4_request,/.test(authorization)) return;
  throw new Ec2Error('AuthFailure', 'AWS was not able to validate the provided access credentials');
}

function operationOf(operations: ReadonlyMap<string, Operation>, form: URLSearchParams): Operation {
  const action = form.get('Action');
  if (action === null) throw missingParameter('Action');
  const version = form.get('Version');
  if (version === null) throw missingParameter('Version');
  const found = operations.get(action);
  if (found === undefined || version !== apiVersion) {
    throw new Ec2Error('InvalidAction', `The action ${action} is not valid for this web service. (Version ${version})`);
  }
  return found;
}

function parametersOf(form: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams(form);
  parameters.delete('Action');
  parameters.delete('Version');
  return parameters;
}

const paramsOf = (form: URLSearchParams): Record<string, string> => Object.fromEntries(parametersOf(form));
