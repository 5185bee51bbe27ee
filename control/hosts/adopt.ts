/**
 * Takes over tasks that a host has and this store does not know: with their ids, as far as the host's ledger tells. What they hold of the
 * host they hold, also where that is more than is free: it is in use. Somebody has decided that; a host alone can bring nothing in.
 */
import { GantryError } from '../../core/errors.ts';
import type { HandedTask } from '../../core/host-protocol.ts';
import { namePattern } from '../../core/model/cluster.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import { adoptedDefinition, adoptedTask } from '../../core/task/adopted.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { holdingOf } from '../store/host-capacity.ts';
import { addHostTask, getHostCapacity } from '../store/hosts.ts';
import { recordRevision } from '../store/revision-changes.ts';
import type { Change } from '../store/table.ts';
import { getRevisionBody, lastRevision } from '../store/task-definitions.ts';
import { addEndedTask, addTask, getTasks, listTask } from '../store/tasks.ts';
import { holdAdopted } from '../store/unknown-stores.ts';

/** How far beyond the last number of its family a revision may be: of a store that was put back it is not far. */
const mostAhead = 10_000;
/** Three items a task, and the host's capacity. */
const tasksPerCommit = 30;

export async function adoptTasks(deps: ControlDeps, host: HostIdentity, handed: readonly HandedTask[]): Promise<void> {
  for (const { spec } of handed) await ensureRevision(deps, spec);
  for (let from = 0; from < handed.length; from += tasksPerCommit) {
    const chunk = handed.slice(from, from + tasksPerCommit);
    await attempt(deps, { most: 20, what: `the host ${host.name}` }, () => adoptChunk(deps, host, chunk));
  }
  if (handed.length > 0) deps.log.warn({ host: host.name, tasks: handed.length }, 'tasks of a host were adopted');
}

async function adoptChunk(
  deps: ControlDeps,
  { cluster, hostId, name }: HostIdentity,
  handed: readonly HandedTask[],
): Promise<'adopted' | undefined> {
  const known = await getTasks(
    deps.table,
    handed.map(({ taskId }) => taskId),
  );
  const host = await getHostCapacity(deps.table, cluster, hostId);
  if (host === undefined) return 'adopted';
  const fresh = handed.filter(({ taskId }) => !known.has(taskId));
  if (fresh.length === 0) return 'adopted';
  const tasks = fresh.map((task) => adoptedTask(task, { cluster, hostId, hostName: name }));
  const living = tasks.filter(({ released }) => !released);
  const changes = tasks.flatMap((task, index): Change[] => {
    const spec = fresh[index]?.spec;
    if (task.released || spec === undefined) return [addEndedTask(task, deps.settings.retentionSeconds)];
    return [addTask(task), listTask(task), addHostTask(hostId, task, spec)];
  });
  const { outcome } = await deps.table.commit([...changes, holdAdopted(host, living.map(holdingOf))]);
  if (outcome !== 'done') return undefined;
  for (const { id } of tasks) deps.feed.changed(id);
  return 'adopted';
}

/** What tasks are told by; made from the spec where this store has not got it, and never given out again. */
async function ensureRevision(deps: ControlDeps, spec: HandedTask['spec']): Promise<void> {
  const { family, revision } = spec;
  if (!namePattern.test(family) || revision < 1) throw foreign(spec);
  await attempt(deps, { most: 20, what: `family ${family}` }, async () => {
    if ((await getRevisionBody(deps.table, { family, revision })) !== undefined) return 'known';
    const last = await lastRevision(deps.table, family);
    if (revision > last + mostAhead) throw foreign(spec);
    const definition = adoptedDefinition(spec, deps.clock.now());
    const { outcome } = await deps.table.commit(recordRevision(definition, last, deps.clock.now()));
    return outcome === 'done' ? 'recorded' : undefined;
  });
}

const foreign = ({ taskId, family, revision }: HandedTask['spec']): GantryError =>
  new GantryError(
    'InvalidParameterException',
    `The task ${taskId} runs ${family}:${revision}, which cannot be adopted.`,
    {
      field: 'tasks',
      hint: 'gantry discard ends what this store does not know.',
    },
  );
