/** Reads what the views of tasks need (revisions from memory, hosts by one batch) and makes them. */
import type { TaskView } from '../../../core/api/shapes.ts';
import type { Task } from '../../../core/model/task.ts';
import type { ControlDeps } from '../../deps.ts';
import { getHostCapacities, getHostIdentities } from '../../store/hosts.ts';
import { taskView } from './task-view.ts';

/** In the order given; all tasks are of one cluster. */
export async function taskViews(deps: ControlDeps, cluster: string, tasks: readonly Task[]): Promise<TaskView[]> {
  const hostIds = [...new Set(tasks.flatMap(({ hostId }) => hostId ?? []))];
  const [identities, capacities] = await Promise.all([
    getHostIdentities(deps.table, hostIds),
    getHostCapacities(deps.table, cluster, hostIds),
  ]);
  const identityOf = new Map(identities.map((identity) => [identity.hostId, identity]));
  const capacityOf = new Map(capacities.map((capacity) => [capacity.hostId, capacity]));
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
      });
    }),
  );
}
