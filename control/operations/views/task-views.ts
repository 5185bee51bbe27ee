/** Reads what the views of tasks need (revisions and who hosts are from memory, how they are by one batch) and makes them. */
import type { TaskView } from '../../../core/api/shapes.ts';
import type { HostCapacity } from '../../../core/model/host.ts';
import type { Task } from '../../../core/model/task.ts';
import type { ControlDeps } from '../../deps.ts';
import { getHostCapacities } from '../../store/hosts.ts';
import { taskView } from './task-view.ts';

/** In the order given; all tasks are of one cluster. `seen`: hosts that the caller has just read, by id. */
export async function taskViews(
  deps: ControlDeps,
  cluster: string,
  tasks: readonly Task[],
  seen: ReadonlyMap<string, HostCapacity> = new Map(),
): Promise<TaskView[]> {
  const hostIds = [...new Set(tasks.flatMap(({ hostId }) => hostId ?? []))];
  const unseen = hostIds.filter((hostId) => !seen.has(hostId));
  const [identities, capacities] = await Promise.all([
    deps.recent.hostIdentities(hostIds),
    unseen.length === 0 ? [] : getHostCapacities(deps.table, cluster, unseen),
  ]);
  const identityOf = new Map(identities.map((identity) => [identity.hostId, identity]));
  const capacityOf = new Map([...seen, ...capacities.map((capacity) => [capacity.hostId, capacity] as const)]);
  return Promise.all(
    tasks.map(async (task) => {
      const definition = await deps.recent.revisionBody(task);
      if (definition === undefined) {
        throw new Error(`task ${task.id} runs ${task.family}:${task.revision}, which does not exist`);
      }
      return taskView(task, {
        realm: deps.realm,
        definition,
        identity: identityOf.get(task.hostId ?? ''),
        capacity: capacityOf.get(task.hostId ?? ''),
        pullWaits: await pullWaits(deps, task.id),
      });
    }),
  );
}

/** Seldom: only while something is pulled, and never in a Lambda, which has no channels. */
async function pullWaits({ feed, clock }: ControlDeps, taskId: string): Promise<string | undefined> {
  const frames = feed.latestProgress(taskId);
  if (frames.length === 0) return undefined;
  const { pullWaitsText } = await import('../../../core/task/pull-wait.ts');
  return pullWaitsText(frames, clock.now());
}
