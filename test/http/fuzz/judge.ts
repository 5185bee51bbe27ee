/** What is wrong with an answer, whatever was asked: a fault of the server, a form that clients cannot read, or a write from a refusal. */

import { readableDates } from '../../../client/dates.ts';
import { problemSchema } from '../../../control/http/problem.ts';
import { operations } from '../../../core/api/operations.ts';
import { errorTraits } from '../../../core/errors.ts';
import { answerFaults } from '../../support/ecs-model.ts';
import type { Answered } from './messages.ts';
import type { FuzzRequest } from './requests.ts';

/** What an answer must look like. */
export type Form = Pick<FuzzRequest, 'operation' | 'transport'>;

/** What is not supported, and what is asked of a host that is not there. */
const meant: ReadonlySet<number> = new Set(
  [errorTraits.UnsupportedFeatureException, errorTraits.ServiceUnavailableException].map(
    ({ restStatus }) => restStatus,
  ),
);

/** Sentences; none where all is well. */
export function judge(form: Form, answer: Answered): string[] {
  const { status, text, written, faults } = answer;
  return [
    ...(status >= 500 && !meant.has(status) ? [`a fault of the server: ${status} ${text}`] : []),
    ...(status >= 400 && written.length > 0 ? [`refused (${text}), and yet written: ${written.join(', ')}`] : []),
    ...formFaults(form, answer),
    ...faults,
  ];
}

function formFaults(
  { operation, transport }: Pick<FuzzRequest, 'operation' | 'transport'>,
  answer: Answered,
): string[] {
  const { status, headers, text } = answer;
  if (!/./.test(headers['x-amzn-requestid'] ?? '')) return ['it has no request id'];
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [`no JSON: ${text.slice(0, 100)}`];
  }
  if (status >= 400) return transport === 'wire' ? wireErrorFaults(answer, body) : problemFaults(answer, body);
  if (transport === 'wire') return answerFaults(operation, body);
  const read = readableDates(operations[operation].output).safeParse(body);
  return read.success ? [] : [`our client cannot read it: ${read.error.message}`];
}

function wireErrorFaults({ headers }: Answered, body: unknown): string[] {
  const { __type: code, message } = Object(body);
  const type = headers['content-type'];
  return [
    ...(Object.hasOwn(errorTraits, code) ? [] : [`no error of ours: ${JSON.stringify(body)}`]),
    ...(typeof message === 'string' && message !== '' ? [] : ['it has no message']),
    ...(type === 'application/x-amz-json-1.1' ? [] : [`its content is ${type}`]),
    ...(headers['x-amzn-errortype'] === code ? [] : ['its header names another error']),
  ];
}

function problemFaults({ headers, status }: Answered, body: unknown): string[] {
  const read = problemSchema.safeParse(body);
  if (!read.success) return [`no problem: ${read.error.message}`];
  const type = headers['content-type'];
  return [
    ...(Object.hasOwn(errorTraits, read.data.code) ? [] : [`no error of ours: ${read.data.code}`]),
    ...(read.data.status === status ? [] : ['it says another status than it has']),
    ...(type === 'application/problem+json' ? [] : [`its content is ${type}`]),
  ];
}
