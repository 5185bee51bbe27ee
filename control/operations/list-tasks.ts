/**
 * ListTasks and GetTasks: what lives comes from the listing of live tasks, read strongly, in the order of ids; what stopped comes from
 * history, newest first. A page may span both; its token says how far it came in which.
 */
import { z } from 'zod';
import type { Input } from '../../core/api/operations.ts';
import { taskArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import type { ControlDeps } from '../deps.ts';
import { type LiveTask, liveTasks, getTasks as readTasks, stoppedTasks } from '../store/tasks.ts';
import type { Handlers } from './context.ts';
import { hostIdMeant } from './hosts.ts';
import { decodeToken, nextTokenOf, pageSize, takePage } from './paging.ts';
import { activeClusterName, idWithin } from './references.ts';
import { isForgotten } from './tasks.ts';
import { taskViews } from './views/task-views.ts';

export const listTasks: Handlers['ListTasks'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  refuseOwners(input);
  const size = pageSize(input.maxResults, 'maxResults');
  const { containerInstance } = input;
  const hostId =
    containerInstance === undefined
      ? undefined
      : (idWithin(cluster, 'container-instance', containerInstance) ?? noHost);
  const { family, startedBy, launchType, desiredStatus = 'RUNNING' } = input;
  // ECS never sets a desired status of PENDING, and answers nothing for it.
  if (desiredStatus === 'PENDING') return { taskArns: [] };
  const wanted: Wanted = { hostId, family, startedBy, launchType, desiredStatus };
  const { taken, resumeAfter } = await takePage(matchingTasks(deps, cluster, wanted, input.nextToken), size);
  return { taskArns: taken.map((id) => taskArn(deps.realm, cluster, id)), ...nextTokenOf(resumeAfter) };
};

/** There is nothing yet that keeps tasks running, so no task is of one. */
function refuseOwners({ serviceName, daemonName }: Input<'ListTasks'>): void {
  if (serviceName !== undefined)
    throw new GantryError('ServiceNotFoundException', 'Service not found.', {
      field: 'serviceName',
      hint: 'There are no services yet.',
    });
  if (daemonName !== undefined)
    throw new GantryError('DaemonNotFoundException', 'Daemon not found.', {
      field: 'daemonName',
      hint: 'There are no daemons.',
    });
}

export const getTasks: Handlers['GetTasks'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const size = pageSize(input.limit, 'limit');
  const hostId = input.host === undefined ? undefined : ((await hostIdMeant(deps, cluster, input.host)) ?? noHost);
  const { family, startedBy, desiredStatus } = input;
  const wanted: Wanted = { hostId, family, startedBy, launchType: undefined, desiredStatus };
  const { taken, resumeAfter } = await takePage(matchingTasks(deps, cluster, wanted, input.nextToken), size);
  const read = await readTasks(deps.table, taken);
  const tasks = taken.flatMap((id) => read.get(id) ?? []);
  return { tasks: await taskViews(deps, cluster, tasks), ...nextTokenOf(resumeAfter) };
};

/** The id of no host: what was named does not exist, so nothing is on it. */
const noHost = 'none';

interface Wanted {
  readonly hostId: string | undefined;
  readonly family: string | undefined;
  readonly startedBy: string | undefined;
  readonly launchType: string | undefined;
  /** Both where undefined. */
  readonly desiredStatus: 'RUNNING' | 'STOPPED' | undefined;
}

/** Of each shard. */
const entriesAtOnce = 100;

const positionSchema = z.discriminatedUnion('list', [
  z.object({ list: z.literal('live'), after: z.string().regex(/^[0-9a-f]{32}$/) }),
  z.object({ list: z.literal('stopped'), after: z.string().regex(/^\d{15}#[0-9a-f]{32}$/) }),
]);
type Position = z.infer<typeof positionSchema>;

/** Ids of what lives, then of what stopped. */
async function* matchingTasks(
  deps: ControlDeps,
  cluster: string,
  wanted: Wanted,
  nextToken: string | undefined,
): AsyncGenerator<{ position: Position; entry: string }, undefined> {
  const from = nextToken === undefined ? undefined : decodeToken(positionSchema, nextToken);
  const listed = new Set<string>();
  if (from?.list !== 'stopped') {
    const after = from === undefined ? {} : { after: from.after };
    for await (const { position, entry } of liveTasks(deps.table, cluster, { ...after, pageSize: entriesAtOnce })) {
      const statusFits = wanted.desiredStatus === undefined || wanted.desiredStatus === entry.desiredStatus;
      if (!statusFits || !fits(entry, wanted)) continue;
      listed.add(entry.taskId);
      yield { position: { list: 'live', after: position }, entry: entry.taskId };
    }
  }
  if (wanted.desiredStatus === 'RUNNING') return;
  const after = from?.list === 'stopped' ? { after: from.after } : {};
  for await (const { position, entry } of stoppedTasks(deps.table, cluster, {
    ...after,
    descending: true,
    pageSize: entriesAtOnce,
  })) {
    // Newest first, and all with the same retention: the rest is older.
    if (isForgotten(deps, entry.task)) return;
    // One that stopped while this was reading has been named already.
    if (listed.has(entry.task.id)) continue;
    if (fits(entry.task, wanted)) yield { position: { list: 'stopped', after: position }, entry: entry.task.id };
  }
}

const fits = (task: Pick<LiveTask, 'hostId' | 'family' | 'startedBy' | 'launchType'>, wanted: Wanted): boolean =>
  (wanted.hostId === undefined || task.hostId === wanted.hostId) &&
  (wanted.family === undefined || task.family === wanted.family) &&
  (wanted.startedBy === undefined || task.startedBy === wanted.startedBy) &&
  (wanted.launchType === undefined || (task.launchType ?? 'EC2') === wanted.launchType);
