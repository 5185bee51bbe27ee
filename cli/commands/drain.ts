/** `gantry drain` and `gantry activate`: keep placement away from hosts, and let it come back. */
import type { Output as Answer } from '../../core/api/operations.ts';
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { errorTraits } from '../../core/errors.ts';
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { usage } from '../parse.ts';
import { tasksOn, waitUntilEmpty } from '../wait-empty.ts';

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
  details: [
    '`gantry activate` undoes it. With --wait it ends once no task is left there: then a host can be deregistered.',
  ],
  arguments: [hosts],
  options: {
    wait: { type: 'boolean', short: 'w', summary: 'Return once no task is left on them' },
    timeout: { type: 'integer', value: 'SECONDS', min: 1, summary: 'With --wait: end with 3 after this long' },
  },
  examples: [
    'gantry drain host-1',
    'gantry drain i-0123456789abcdef0 i-0fedcba9876543210 --cluster web',
    'gantry drain host-1 --wait --timeout 600 && gantry deregister host-1',
  ],
  async run(context, { args, options: { wait = false, timeout } }) {
    if (timeout !== undefined && !wait) throw usage({ name: 'drain' }, '--timeout says something only with --wait');
    const changed = await changeStatus(context, args, 'DRAINING');
    if (!wait) return tell(context, changed);
    const timer = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
    const signal = timer === undefined ? context.signal : AbortSignal.any([context.signal, timer]);
    try {
      return tell(context, { ...changed, hosts: await waitUntilEmpty(context, changed.hosts, signal) });
    } catch (error) {
      if (timer?.aborted !== true || context.signal.aborted) throw error;
      const message = `Tasks were left after ${timeout} s.`;
      context.out.data({ error: { code: 'Timeout', message }, ...changed });
      context.out.note(`${message} The hosts stay DRAINING; \`gantry ps --host\` shows what runs there.`);
      return exitCodes.timeout;
    }
  },
});

export const activateCommand = defineCommand({
  name: 'activate',
  summary: 'Let tasks be placed again on hosts that were drained',
  arguments: [hosts],
  options: {},
  examples: ['gantry activate host-1'],
  run: async (context, { args }) => tell(context, await changeStatus(context, args, 'ACTIVE')),
});

/** As many as one request takes. */
const mostHosts = 10;

interface Changed {
  readonly hosts: readonly ContainerInstanceView[];
  readonly failures: Answer<'UpdateContainerInstancesState'>['failures'];
}

async function changeStatus(
  { client, cluster }: CommandContext,
  names: readonly string[],
  status: 'DRAINING' | 'ACTIVE',
): Promise<Changed> {
  const changed: ContainerInstanceView[] = [];
  const failures: Changed['failures'] = [];
  for (let from = 0; from < names.length; from += mostHosts) {
    const containerInstances = names.slice(from, from + mostHosts);
    const answer = await client().call('UpdateContainerInstancesState', { cluster, containerInstances, status });
    changed.push(...answer.containerInstances);
    failures.push(...answer.failures);
  }
  return { hosts: changed, failures };
}

/** Answers the exit code. */
function tell({ cluster, out }: CommandContext, changed: Changed): number {
  out.data(changed);
  for (const host of changed.hosts) out.line(sentenceOf(host));
  for (const { arn = '' } of changed.failures) {
    const missing = `The cluster ${cluster} has no host ${arn.slice(arn.lastIndexOf('/') + 1)}.`;
    out.note(`${out.paint('red', 'Error:')} ${missing} \`gantry hosts\` lists them.`);
  }
  return changed.failures.length === 0 ? exitCodes.ok : errorTraits.ResourceNotFoundException.exitCode;
}

function sentenceOf(host: ContainerInstanceView): string {
  const { hostName, status } = host;
  const tasks = tasksOn(host);
  if (status !== 'DRAINING') return `${hostName} is ${status}: tasks may be placed on it`;
  const rest = tasks === 0 ? 'no task is there' : `${plural(tasks, 'task')} there run${tasks === 1 ? 's' : ''} on`;
  return `${hostName} is ${status}: nothing more is placed on it; ${rest}`;
}
