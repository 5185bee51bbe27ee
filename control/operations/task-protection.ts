/** GetTaskProtection, UpdateTaskProtection. ECS protects tasks of services only; here every task can be moved, and so protected. */
import type { Output } from '../../core/api/operations.ts';
import { taskArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import { checkRange, parameterFault } from '../../core/model/faults.ts';
import type { Task } from '../../core/model/task.ts';
import { isProtected, protect } from '../../core/task/protection.ts';
import { lastStatus } from '../../core/task/status.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { getTask, getTasks, replaceTask } from '../store/tasks.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { activeClusterName, failureOf, type Named, tasksMeant } from './references.ts';
import { isForgotten } from './tasks.ts';

type View = Output<'GetTaskProtection'>['protectedTasks'][number];

/** ECS' own limits. */
const mostChanges = 10;
const minutes = { range: [1, 2880], usual: 120 } as const;

export const getTaskProtection: Handlers['GetTaskProtection'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  refuseTooMany('tasks', input.tasks ?? []);
  const named = namedTasks(deps, cluster, input.tasks ?? []);
  const read = await getTasks(
    deps.table,
    named.flatMap(({ id }) => id ?? []),
  );
  const answer: Output<'GetTaskProtection'> = { protectedTasks: [], failures: [] };
  for (const { reference, id } of named) {
    const task = read.get(id ?? '');
    if (task === undefined || task.cluster !== cluster || isForgotten(deps, task))
      answer.failures.push(failureOf(deps, 'task', cluster, reference, 'MISSING'));
    else if (isOver(task)) answer.failures.push(failureOf(deps, 'task', cluster, reference, notValid));
    else answer.protectedTasks.push(protectionView(deps, task));
  }
  return answer;
};

export const updateTaskProtection: Handlers['UpdateTaskProtection'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const { protectionEnabled, expiresInMinutes = minutes.usual } = input;
  checkRange(parameterFault, 'expiresInMinutes', expiresInMinutes, minutes.range);
  refuseTooMany('tasks', input.tasks, mostChanges);
  const named = namedTasks(deps, cluster, input.tasks);
  const until = protectionEnabled ? deps.clock.now() + expiresInMinutes * 60_000 : undefined;
  const results = await Promise.all(
    named.map(async ({ id }) => (id === undefined ? 'MISSING' : change(deps, cluster, id, until))),
  );
  return {
    protectedTasks: results.flatMap((result) => (typeof result === 'string' ? [] : protectionView(deps, result))),
    failures: results.flatMap((result, index) =>
      typeof result === 'string' ? failureOf(deps, 'task', cluster, named[index]?.reference ?? '', result) : [],
    ),
  };
};

/** Each once. Throws InvalidParameterException where none is named. */
function namedTasks(deps: ControlDeps, cluster: string, references: readonly string[]): Named[] {
  if (references.length === 0) throw parameterFault('tasks', 'Tasks cannot be empty.');
  return [...new Map(tasksMeant(deps, cluster, references).map((one) => [one.id ?? one.reference, one])).values()];
}

const notValid = 'TASK_NOT_VALID';

/** It has ended, or its end has been asked for: there is nothing left to protect. */
const isOver = (task: Task): boolean => task.desired.status === 'STOPPED' || lastStatus(task) === 'STOPPED';

/** The task as it is then, or ECS' reason why not. A stop and a protection at the same time have an order: the first one counts. */
function change(
  deps: ControlDeps,
  cluster: string,
  id: string,
  until: number | undefined,
): Promise<Task | 'MISSING' | typeof notValid> {
  return attempt(deps, { most: 20, what: `task ${id}` }, async () => {
    const task = await getTask(deps.table, id);
    if (task === undefined || task.cluster !== cluster || isForgotten(deps, task)) return 'MISSING';
    if (isOver(task)) return notValid;
    if (task.protectedUntil === until) return task;
    const next = protect(task, until);
    const { outcome } = await deps.table.commit([replaceTask(task, next, deps.settings.retentionSeconds)]);
    if (outcome !== 'done') return undefined;
    deps.feed.changed(id);
    return next;
  });
}

function protectionView({ realm, clock }: ControlDeps, task: Task): View {
  const enabled = isProtected(task, clock.now());
  const expirationDate = enabled ? new Date(task.protectedUntil ?? 0) : undefined;
  return compact({ taskArn: taskArn(realm, task.cluster, task.id), protectionEnabled: enabled, expirationDate });
}
