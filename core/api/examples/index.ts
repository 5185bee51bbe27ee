/** All examples, in the order in which they can be made: with a host in the cluster `default` that does what it is told between them. */
import { type OperationName, operations } from '../operations.ts';
import { type RequestForm, requestForm } from '../request-form.ts';
import { administrationExamples } from './administration.ts';
import { clusterExamples } from './clusters.ts';
import type { Example, StreamName } from './example.ts';
import { taskExamples } from './tasks.ts';

export const examples: readonly Example[] = [...taskExamples, ...clusterExamples, ...administrationExamples];

/** By the names of examples. */
export type Answers = Readonly<Record<string, { readonly status: number; readonly body: unknown }>>;

const taskPath = '/v1/clusters/{cluster}/tasks/{task}';
export const streamPaths: Readonly<Record<StreamName, string>> = {
  StreamEvents: '/v1/events/stream',
  WatchTask: `${taskPath}/watch`,
  ReadLogs: `${taskPath}/logs`,
};

const isStream = (name: OperationName | StreamName): name is StreamName => Object.hasOwn(streamPaths, name);

/** The request as it is sent, with what other examples were answered put into its input. */
export function exampleRequest(
  { operation, input }: Example,
  answers: Answers,
): RequestForm & { readonly input: object } {
  const filled = Object(fill(input, answers));
  const route = isStream(operation)
    ? { method: 'GET' as const, path: streamPaths[operation], status: 200 as const }
    : operations[operation].rest;
  return { ...requestForm(route, filled), input: filled };
}

const reference = /\{\{([\w-]+):([\w.]+)(\|id)?\}\}/g;

function fill(value: unknown, answers: Answers): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, answers));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member, answers)]));
  if (typeof value !== 'string') return value;
  return value.replaceAll(reference, (_, name: string, path: string, id: string | undefined) => {
    const found = String(memberOf(answers[name]?.body, path.split('.')));
    return id === undefined ? found : (found.split('/').at(-1) ?? '');
  });
}

function memberOf(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  const member: unknown =
    typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
  if (member === undefined) throw new Error(`an example names ${name}, which was not answered`);
  return memberOf(member, rest);
}
