/** `gantry ps`: what runs and waits, and what stopped lately, with why. */
import type { TaskView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { recentTasks } from '../recent-tasks.ts';
import { printTaskTable } from '../render/task-table.ts';

export const psCommand = defineCommand({
  name: 'ps',
  summary: 'Show tasks that run, wait, or stopped in the last hour, with why',
  arguments: [],
  options: {
    family: { type: 'string', value: 'FAMILY', summary: 'Only tasks of this family', completes: ['family'] },
    'started-by': { type: 'string', value: 'NAME', summary: 'Only tasks that were started by this' },
    group: { type: 'string', value: 'NAME', summary: 'Only tasks of this group' },
    tag: {
      type: 'string',
      value: 'KEY[=VALUE]',
      multiple: true,
      summary: 'Only tasks that have this tag',
    },
    host: { type: 'string', value: 'HOST', summary: 'Only tasks on this host (name, id or ARN)', completes: ['host'] },
    all: { type: 'boolean', short: 'a', summary: 'Also all that stopped earlier and are still known' },
  },
  examples: [
    'gantry ps',
    'gantry ps --family web --all',
    'gantry ps --tag team=payments --group nightly',
    "gantry ps --json | jq -r '.tasks[].taskArn'",
  ],
  async run(context, { options }) {
    const { cluster, out, now } = context;
    const { family, host, group, tag, 'started-by': startedBy } = options;
    const filters = compact({ cluster, family, host, startedBy, group, tag: tag && [...tag] });
    const tasks = await recentTasks(context, filters, options.all === true);
    tasks.sort(byAge);
    out.data({ tasks });
    if (tasks.length > 0) printTaskTable(tasks, out, now());
    else out.note(noTasks(cluster, options.all === true));
    return exitCodes.ok;
  },
});

/** What lives first, the youngest on top; what stopped stays in the order of its ends. */
function byAge(a: TaskView, b: TaskView): number {
  const [aStopped, bStopped] = [a.lastStatus === 'STOPPED', b.lastStatus === 'STOPPED'];
  if (aStopped || bStopped) return Number(aStopped) - Number(bStopped);
  return b.createdAt.getTime() - a.createdAt.getTime();
}

const noTasks = (cluster: string, all: boolean): string =>
  all
    ? `The cluster ${cluster} knows no such task.`
    : `Nothing runs or waits in the cluster ${cluster}, and nothing stopped in the last hour. --all shows what stopped before.`;
