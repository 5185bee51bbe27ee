/** StartTask: one task on each of the hosts that the caller names, where it fits there. No strategy chooses, and nothing waits. */
import { createHash } from 'node:crypto';
import type { Input } from '../../core/api/operations.ts';
import type { Failure } from '../../core/api/shapes.ts';
import { parameterFault } from '../../core/model/faults.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { runTaskWarnings } from '../../core/model/normalise-run-task.ts';
import type { Task } from '../../core/model/task.ts';
import { place } from '../../core/placement/place.ts';
import { placeOn } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { authorizeRun } from '../http/auth/policy.ts';
import { addHostTask, getHostCapacity } from '../store/hosts.ts';
import { addTask, getTask, listTask } from '../store/tasks.ts';
import { announcePlaced, learnFrom, reserveHosts } from '../tasks/assign.ts';
import { taskIdAt } from '../tasks/run-request.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { hostsMeant } from './host-references.ts';
import { newRequest, runnableRevision } from './new-request.ts';
import { activeCluster, failureOf, type Named } from './references.ts';
import { taskViews } from './views/task-views.ts';

/** ECS' own limits. */
const mostHosts = 10;
const longestStartedBy = 36;

export const startTask: Handlers['StartTask'] = async ({ deps, principal, invocationId }, input) => {
  const known = await activeCluster(deps, input.cluster);
  const { containerInstances: references, ...wish } = input;
  check(input);
  const hosts = await hostsMeant(deps, known.name, references);
  const runnable = await runnableRevision(deps, input.taskDefinition);
  await authorizeRun(principal, deps.realm.accountId, runnable.definition, input.overrides);
  const { template } = await newRequest(deps, known, runnable, wish);
  // A repetition of the same call names the same tasks.
  const nonce = invocationId === undefined ? deps.newId() : nonceOf(known.name, invocationId);
  const results = await Promise.all(
    hosts.map((host, index) =>
      startOn(deps, host, { ...template, id: taskIdAt({ nonce }, index) }, invocationId !== undefined),
    ),
  );
  const started = results.flatMap((result) => ('task' in result ? result : []));
  await announcePlaced(
    deps,
    started.flatMap(({ task, host }) => (host === undefined ? [] : { task, host })),
  );
  const tasks = started.map(({ task }) => task);
  return {
    tasks: await taskViews(deps, known.name, tasks),
    failures: results.flatMap((result) => ('task' in result ? [] : result)),
    warnings: runTaskWarnings(wish),
  };
};

const nonceOf = (cluster: string, invocationId: string): string =>
  createHash('sha256').update(`start-task#${cluster}#${invocationId}`).digest('hex').slice(0, 32);

function check({ containerInstances, startedBy = '' }: Input<'StartTask'>): void {
  if (containerInstances.length === 0)
    throw parameterFault('containerInstances', 'Container Instances cannot be empty.');
  refuseTooMany('containerInstances', containerInstances, mostHosts);
  if (startedBy.length > longestStartedBy)
    throw parameterFault('startedBy', `startedBy must have at most ${longestStartedBy} characters.`);
}

interface Started {
  readonly task: Task;
  /** Absent where an earlier try has started it. */
  readonly host?: HostCapacity;
}

async function startOn(
  deps: ControlDeps,
  { reference, id: hostId }: Named,
  task: Task,
  mayBeRepeated: boolean,
): Promise<Started | Failure> {
  const { cluster } = task;
  const missing = failureOf(deps, 'container-instance', cluster, reference, 'MISSING');
  if (hostId === undefined) return missing;
  return attempt(deps, { most: 20, what: `the host ${reference}` }, async (tries) => {
    // Before the host: what an earlier call, or a commit whose answer was lost, took of it is not free any more.
    const earlier = mayBeRepeated || tries > 0 ? await getTask(deps.table, task.id) : undefined;
    if (earlier !== undefined) return { task: earlier };
    const host = await getHostCapacity(deps.table, cluster, hostId);
    if (host === undefined) return missing;
    const { explanation } = place({ needs: task.needs, count: 1 }, [host], deps.random);
    if (explanation !== undefined) {
      const { sentence: detail, histogram } = explanation;
      return { ...missing, reason: histogram[0]?.reason ?? 'RESOURCE:*', detail, histogram };
    }
    const assignment = { hostId, hostName: host.name, reason: 'the caller named this host', at: deps.clock.now() };
    const placed = placeOn(task, assignment) ?? task;
    const assigned = { task: placed, host };
    const changes = [addTask(placed), listTask(placed), addHostTask(hostId, placed), ...reserveHosts([assigned])];
    const result = await deps.table.commit(changes);
    if (result.outcome === 'done') return assigned;
    learnFrom(deps, cluster, result);
    return undefined;
  });
}
