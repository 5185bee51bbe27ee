/** Tasks as people name them: by ARN, by id, or by any beginning of an id that only one task has. */
import type { Client } from '../client/client.ts';
import type { TaskView } from '../core/api/shapes.ts';
import { parseArn } from '../core/arn.ts';
import { GantryError } from '../core/errors.ts';
import type { ArgumentSpec } from './command.ts';
import type { CommandContext } from './context.ts';

/** The tasks of a command that takes any number of them. */
export const tasksArgument = {
  name: 'id',
  summary: 'tasks, by any unambiguous beginning of an id, or by ARN',
  required: true,
  variadic: true,
  completes: ['task'],
} as const satisfies ArgumentSpec;

const fullIdLength = 32;
const shownCandidates = 10;

/** Throws ResourceNotFoundException where there is none, InvalidParameterException where there are several. */
export async function findTask({ client, cluster }: CommandContext, name: string): Promise<TaskView> {
  const arn = parseArn(name);
  // An ARN says which cluster it is of; the one that was named beside it does not matter.
  if (arn?.kind === 'task') return getTask(client(), arn.path[0] ?? cluster, name);
  const id = name.toLowerCase();
  if (!/^[0-9a-f]{1,32}$/.test(id)) throw notFound(cluster, name);
  return getTask(client(), cluster, id.length === fullIdLength ? id : await completeId(client(), cluster, id));
}

async function getTask(client: Client, cluster: string, task: string): Promise<TaskView> {
  return (await client.call('GetTask', { cluster, task })).task;
}

async function completeId(client: Client, cluster: string, prefix: string): Promise<string> {
  const found: string[] = [];
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const)
    for await (const id of taskIds(client, cluster, desiredStatus)) if (id.startsWith(prefix)) found.push(id);
  const [id, second] = found;
  if (id === undefined) throw notFound(cluster, prefix);
  if (second === undefined) return id;
  throw new GantryError('InvalidParameterException', `${found.length} tasks begin with ${prefix}.`, {
    hint: `Name more of it: ${found.slice(0, shownCandidates).join(', ')}${found.length > shownCandidates ? ', …' : ''}`,
  });
}

async function* taskIds(client: Client, cluster: string, desiredStatus: 'RUNNING' | 'STOPPED'): AsyncGenerator<string> {
  let nextToken: string | undefined;
  do {
    const page = await client.call('ListTasks', {
      cluster,
      desiredStatus,
      ...(nextToken !== undefined && { nextToken }),
    });
    for (const arn of page.taskArns) yield arn.slice(arn.lastIndexOf('/') + 1);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

const notFound = (cluster: string, name: string): GantryError =>
  new GantryError('ResourceNotFoundException', `The cluster ${cluster} has no task ${name}.`, {
    hint: '`gantry ps --all` shows all that are still known.',
  });
