/** `gantry drain` and `gantry activate`: keep placement away from hosts, and let it come back. */
import type { Output as Answer } from '../../core/api/operations.ts';
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { errorTraits } from '../../core/errors.ts';
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';

const hosts = {
  name: 'host',
  summary: 'hosts, by name, id or ARN',
  required: true,
  variadic: true,
  completes: ['host'],
} as const;

export const drainCommand = defineCommand({
  name: 'drain',
  summary: 'Place nothing more on hosts; what runs there runs on',
  arguments: [hosts],
  options: {},
  examples: ['gantry drain host-1', 'gantry drain i-0123456789abcdef0 i-0fedcba9876543210 --cluster web'],
  run: (context, { args }) => changeStatus(context, args, 'DRAINING'),
});

export const activateCommand = defineCommand({
  name: 'activate',
  summary: 'Let tasks be placed again on hosts that were drained',
  arguments: [hosts],
  options: {},
  examples: ['gantry activate host-1'],
  run: (context, { args }) => changeStatus(context, args, 'ACTIVE'),
});

/** As many as one request takes. */
const mostHosts = 10;

async function changeStatus(
  { client, cluster, out }: CommandContext,
  names: readonly string[],
  status: 'DRAINING' | 'ACTIVE',
): Promise<number> {
  const changed: ContainerInstanceView[] = [];
  const failures: Answer<'UpdateContainerInstancesState'>['failures'] = [];
  for (let from = 0; from < names.length; from += mostHosts) {
    const containerInstances = names.slice(from, from + mostHosts);
    const answer = await client().call('UpdateContainerInstancesState', { cluster, containerInstances, status });
    changed.push(...answer.containerInstances);
    failures.push(...answer.failures);
  }
  out.data({ hosts: changed, failures });
  for (const host of changed) out.line(sentenceOf(host));
  for (const { arn = '' } of failures) {
    const missing = `The cluster ${cluster} has no host ${arn.slice(arn.lastIndexOf('/') + 1)}.`;
    out.note(`${out.paint('red', 'Error:')} ${missing} \`gantry hosts\` lists them.`);
  }
  return failures.length === 0 ? exitCodes.ok : errorTraits.ResourceNotFoundException.exitCode;
}

function sentenceOf({ hostName, status, runningTasksCount, pendingTasksCount }: ContainerInstanceView): string {
  const tasks = runningTasksCount + pendingTasksCount;
  if (status !== 'DRAINING') return `${hostName} is ${status}: tasks may be placed on it`;
  const rest = tasks === 0 ? 'no task is there' : `${plural(tasks, 'task')} there run${tasks === 1 ? 's' : ''} on`;
  return `${hostName} is ${status}: nothing more is placed on it; ${rest}`;
}
