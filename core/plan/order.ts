/** dependsOn: what a container waits for before it starts, and who must have stopped before it is stopped. Never acts. */

import type { ContainerDependency } from '../model/task-definition.ts';
import type { ContainerSpec, TaskSpec } from '../model/task-spec.ts';
import type { LedgerContainer, LedgerTask } from './ledger.ts';
import { hasEnded } from './observation.ts';

export type DependencyState =
  | { readonly state: 'met' }
  /** `untilMs`: when the dependency's startTimeout ends. */
  | { readonly state: 'waiting'; readonly untilMs?: number }
  | { readonly state: 'impossible'; readonly why: string };

const met: DependencyState = { state: 'met' };

/** How one condition of `dependsOn` stands. ECS: START is met by a container that runs or has stopped. */
function judgeDependency(task: LedgerTask, dependency: ContainerDependency, now: number): DependencyState {
  const container = task.containers.find(({ name }) => name === dependency.containerName);
  const spec = task.spec.containers.find(({ name }) => name === dependency.containerName);
  if (container === undefined || spec === undefined) {
    return { state: 'impossible', why: `container '${dependency.containerName}' is not in the task` };
  }
  if (dependency.condition === 'START') {
    return container.startedAt !== undefined || hasEnded(task, container) ? met : { state: 'waiting' };
  }
  return hasEnded(task, container)
    ? judgeEnd(container, dependency.condition)
    : judgeTimeout(container, spec, dependency.condition, now);
}

function judgeEnd(container: LedgerContainer, condition: 'COMPLETE' | 'SUCCESS'): DependencyState {
  const exitCode = container.end?.exitCode;
  if (exitCode === undefined) {
    const why = `container '${container.name}' has no exit code (${container.failure ?? 'it never ran'})`;
    return { state: 'impossible', why };
  }
  if (condition === 'COMPLETE' || exitCode === 0) return met;
  return { state: 'impossible', why: `container '${container.name}' exited with code ${exitCode}, not with success` };
}

function judgeTimeout(
  container: LedgerContainer,
  spec: ContainerSpec,
  condition: 'COMPLETE' | 'SUCCESS',
  now: number,
): DependencyState {
  if (spec.startTimeoutSeconds === undefined || container.startedAt === undefined) return { state: 'waiting' };
  const untilMs = container.startedAt + spec.startTimeoutSeconds * 1000;
  if (now < untilMs) return { state: 'waiting', untilMs };
  const why = `container '${container.name}' did not reach ${condition} within its startTimeout of ${spec.startTimeoutSeconds} s`;
  return { state: 'impossible', why };
}

/** How all that a container depends on stands: impossible before waiting before met. */
export function judgeDependencies(task: LedgerTask, containerName: string, now: number): DependencyState {
  const spec = task.spec.containers.find(({ name }) => name === containerName);
  const states = (spec?.dependsOn ?? []).map((dependency) => judgeDependency(task, dependency, now));
  const impossible = states.find(({ state }) => state === 'impossible');
  if (impossible !== undefined) return impossible;
  const deadlines = states.flatMap((state) => (state.state === 'waiting' ? [state.untilMs] : []));
  if (deadlines.length === 0) return met;
  const known = deadlines.filter((deadline) => deadline !== undefined);
  return known.length === 0 ? { state: 'waiting' } : { state: 'waiting', untilMs: Math.min(...known) };
}

/** Names of the containers that depend on this one, directly or through others: they stop before it. */
export function dependentsOf(spec: TaskSpec, containerName: string): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [containerName];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const container of spec.containers) {
      if (found.has(container.name) || !container.dependsOn.some((each) => each.containerName === name)) continue;
      found.add(container.name);
      pending.push(container.name);
    }
  }
  return found;
}
