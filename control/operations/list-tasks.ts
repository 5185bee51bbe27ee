/**
 * ListTasks and GetTasks: what lives comes from the listing of live tasks, read strongly, in the order of ids; what stopped comes from
 * history, newest first. A page may span both; its token says how far it came in which.
 */
import { z } from 'zod';
import type { Input } from '../../core/api/operations.ts';
import { taskArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import type { Tag } from '../../core/model/cluster.ts';
import { checkLength, parameterFault } from '../../core/model/faults.ts';
import type { ControlDeps } from '../deps.ts';
import type { Positioned } from '../store/merge-shards.ts';
import { type LiveTask, liveTasks, getTasks as readTasks, stoppedTasks } from '../store/tasks.ts';
import type { Handlers } from './context.ts';
import { hostIdMeant } from './host-references.ts';
import { decodeToken, nextTokenOf, pageSize, takePage } from './paging.ts';
import { activeClusterName } from './references.ts';
import { isForgotten } from './tasks.ts';
import { taskViews } from './views/task-views.ts';

export const listTasks: Handlers['ListTasks'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  refuseOwners(input);
  const size = pageSize(input.maxResults, 'maxResults');
  const { containerInstance } = input;
  const hostId =
    containerInstance === undefined ? undefined : ((await hostIdMeant(deps, cluster, containerInstance)) ?? noHost);
  const { family, startedBy, group, launchType, desiredStatus = 'RUNNING' } = input;
  // ECS never sets a desired status of PENDING, and answers nothing for it.
  if (desiredStatus === 'PENDING') return { taskArns: [] };
  const wanted: Wanted = { hostId, family, startedBy, group, tags: tagsWanted(input), launchType, desiredStatus };
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
  const hostId =
    input.host === undefined ? undefined : ((await hostIdMeant(deps, cluster, input.host, 'host')) ?? noHost);
  const { family, startedBy, group, desiredStatus } = input;
  const tags = tagsWanted(input);
  const wanted: Wanted = { hostId, family, startedBy, group, tags, launchType: undefined, desiredStatus };
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
  readonly group: string | undefined;
  readonly tags: readonly string[];
  readonly launchType: string | undefined;
  /** Both where undefined. */
  readonly desiredStatus: 'RUNNING' | 'STOPPED' | undefined;
}

const mostTags = 10;

function tagsWanted({ tag = [] }: Pick<Input<'ListTasks'>, 'tag'>): readonly string[] {
  checkLength(parameterFault, 'tag', tag, [0, mostTags]);
  const empty = tag.findIndex((each) => each === '' || each.startsWith('='));
  if (empty !== -1) throw parameterFault(`tag[${empty}]`, `tag[${empty}] must be a key, or key=value.`);
  return tag;
}

/** Keys may have an equals sign in them, so what is wanted is not taken apart. */
const hasTags = (tags: readonly Tag[], wanted: readonly string[]): boolean =>
  wanted.every((each) => tags.some(({ key, value = '' }) => each === key || each === `${key}=${value}`));

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
    const live = liveTasks(deps.table, cluster, { ...after, pageSize: entriesAtOnce });
    for await (const { position, entry } of tagged(deps, fitting(live, wanted), wanted.tags)) {
      listed.add(entry.taskId);
      yield { position: { list: 'live', after: position }, entry: entry.taskId };
    }
  }
  if (wanted.desiredStatus === 'RUNNING') return;
  const after = from?.list === 'stopped' ? { after: from.after } : {};
  const stopped = stoppedTasks(deps.table, cluster, { ...after, descending: true, pageSize: entriesAtOnce });
  for await (const {
    position,
    entry: { task },
  } of stopped) {
    // Newest first, and all with the same retention: the rest is older.
    if (isForgotten(deps, task)) return;
    // One that stopped while this was reading has been named already.
    if (listed.has(task.id)) continue;
    if (fits({ ...task, group: task.needs.group }, wanted) && hasTags(task.tags, wanted.tags))
      yield { position: { list: 'stopped', after: position }, entry: task.id };
  }
}

async function* fitting(
  entries: AsyncIterable<Positioned<LiveTask>>,
  wanted: Wanted,
): AsyncGenerator<Positioned<LiveTask>, undefined> {
  for await (const each of entries) {
    const { desiredStatus } = each.entry;
    if ((wanted.desiredStatus ?? desiredStatus) === desiredStatus && fits(each.entry, wanted)) yield each;
  }
}

/**
 * Tags are not in the listing, which every change of a task's status would have to carry them through: what all other filters leave is
 * read, a hundred at once.
 */
async function* tagged(
  deps: ControlDeps,
  entries: AsyncIterable<Positioned<LiveTask>>,
  tags: readonly string[],
): AsyncGenerator<Positioned<LiveTask>, undefined> {
  if (tags.length === 0) {
    yield* entries;
    return;
  }
  async function* those(batch: readonly Positioned<LiveTask>[]): AsyncGenerator<Positioned<LiveTask>, undefined> {
    const tasks = await readTasks(
      deps.table,
      batch.map(({ entry }) => entry.taskId),
    );
    for (const each of batch) if (hasTags(tasks.get(each.entry.taskId)?.tags ?? [], tags)) yield each;
  }
  let batch: Positioned<LiveTask>[] = [];
  for await (const each of entries) {
    batch.push(each);
    if (batch.length < entriesAtOnce) continue;
    yield* those(batch);
    batch = [];
  }
  yield* those(batch);
}

type Filtered = Pick<LiveTask, 'hostId' | 'family' | 'startedBy' | 'group' | 'launchType'>;

const fits = (task: Filtered, wanted: Wanted): boolean =>
  (wanted.hostId === undefined || task.hostId === wanted.hostId) &&
  (wanted.family === undefined || task.family === wanted.family) &&
  (wanted.startedBy === undefined || task.startedBy === wanted.startedBy) &&
  (wanted.group === undefined || task.group === wanted.group) &&
  (wanted.launchType === undefined || (task.launchType ?? 'EC2') === wanted.launchType);
