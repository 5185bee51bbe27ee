/**
 * A task as clients see it: ECS' shape out of the three facts, the revision and its host. Pure but for hashing; reading what it needs is
 * task-views.ts.
 */
import { hash } from 'node:crypto';
import type { ContainerView, TaskView } from '../../../core/api/shapes.ts';
import {
  clusterArn,
  containerArn,
  containerInstanceArn,
  type Realm,
  taskArn,
  taskDefinitionArn,
} from '../../../core/arn.ts';
import { compact } from '../../../core/compact.ts';
import type { HostCapacity, HostIdentity } from '../../../core/model/host.ts';
import type { Task } from '../../../core/model/task.ts';
import type { ContainerDefinition, TaskDefinition } from '../../../core/model/task-definition.ts';
import { runEndsAt } from '../../../core/model/task-limits.ts';
import { type Capability, taskCan } from '../../../core/task/capabilities.ts';
import { overrideContainer } from '../../../core/task/effective.ts';
import {
  containerViews,
  desiredStatus,
  lastStatus,
  mayStillRun,
  taskTimes,
  toldStopCause,
} from '../../../core/task/status.ts';
import { taskHeadline, taskStory } from '../../../core/task/story.ts';

export interface TaskViewContext {
  readonly realm: Realm;
  readonly definition: TaskDefinition;
  readonly identity: HostIdentity | undefined;
  readonly capacity: HostCapacity | undefined;
  /** What its pulls wait for now. */
  readonly pullWaits?: string | undefined;
}

export function taskView(task: Task, context: TaskViewContext): TaskView {
  const { realm, definition } = context;
  const { cpuUnits, memoryMib } = task.needs.reservation;
  return compact({
    taskArn: taskArn(realm, task.cluster, task.id),
    clusterArn: clusterArn(realm, task.cluster),
    taskDefinitionArn: taskDefinitionArn(realm, task.family, task.revision),
    group: task.needs.group,
    startedBy: task.startedBy,
    launchType: task.launchType ?? 'EC2',
    capacityProviderName: task.capacityProvider,
    lastStatus: lastStatus(task),
    desiredStatus: desiredStatus(task),
    healthStatus: 'UNKNOWN' as const,
    ...hostMembers(task, context),
    cpu: String(task.cpuUnits ?? cpuUnits),
    memory: String(task.memoryMib ?? memoryMib),
    containers: containersOf(task, context),
    overrides: overridesOf(task, definition),
    attachments: [],
    enableExecuteCommand: false as const,
    ...timesOf(task),
    ...toldStopCause(task),
    tags: task.tags,
    version: task.version,
    protectedUntil: timeOf(task.protectedUntil),
    explanation: task.explanation,
    capacityNote: task.capacityNote,
    ...limitsOf(task),
    ...fateOf(task, realm),
    mayStillRun: mayStillRun(task) || undefined,
    headline: taskHeadline(task, context.pullWaits),
    cannot: compact({ stop: refusal(taskCan.stop(task)), readLogs: refusal(taskCan.readLogs(task)) }),
    story: taskStory(task).map(({ at, phase, text }) => ({ at: new Date(at), phase, text })),
  });
}

/** What becomes of it where its host goes, and in whose place it is. */
const fateOf = ({ cluster, hostGoes, replaces, replacedBy }: Task, realm: Realm) => ({
  hostGoes: hostGoes && compact({ stopsAt: timeOf(hostGoes.stopsAt), reason: hostGoes.reason }),
  replacesTaskArn: replaces === undefined ? undefined : taskArn(realm, cluster, replaces),
  replacedByTaskArn: replacedBy === undefined ? undefined : taskArn(realm, cluster, replacedBy),
});

const limitsOf = ({ timeoutSeconds, cpuLimitUnits, observed }: Task) => ({
  timeoutSeconds,
  timesOutAt: timeOf(runEndsAt(timeoutSeconds, observed?.containers ?? [])),
  cpuLimit: cpuLimitUnits === undefined ? undefined : String(cpuLimitUnits),
});

const refusal = (capability: Capability): string | undefined => (capability.can ? undefined : capability.why);

function hostMembers(task: Task, { realm, identity, capacity }: TaskViewContext) {
  const architecture = capacity?.attributes['ecs.cpu-architecture'];
  const attributes = architecture === undefined ? [] : [{ name: 'ecs.cpu-architecture', value: architecture }];
  if (task.hostId === undefined) return { attributes };
  return {
    attributes,
    containerInstanceArn: containerInstanceArn(realm, task.cluster, task.hostId),
    hostName: task.hostName,
    hostAddress: identity?.address,
    connectivity: capacity && (capacity.connected ? ('CONNECTED' as const) : ('DISCONNECTED' as const)),
    connectivityAt: capacity && new Date(capacity.connectedChangedAt),
  };
}

/** The same times as Date objects. */
function timesOf(task: Task) {
  const times = taskTimes(task);
  return {
    createdAt: new Date(times.createdAt),
    pullStartedAt: timeOf(times.pullStartedAt),
    pullStoppedAt: timeOf(times.pullStoppedAt),
    startedAt: timeOf(times.startedAt),
    stoppingAt: timeOf(times.stoppingAt),
    executionStoppedAt: timeOf(times.executionStoppedAt),
    stoppedAt: timeOf(times.stoppedAt),
  };
}

const timeOf = (time: number | undefined): Date | undefined => (time === undefined ? undefined : new Date(time));

function containersOf(task: Task, { realm, definition }: TaskViewContext): ContainerView[] {
  const effective = new Map(
    definition.containerDefinitions.map((container) => [container.name, overrideContainer(container, task.overrides)]),
  );
  return containerViews(task, [...effective.keys()]).map((seen) => {
    const container = effective.get(seen.name);
    return compact({
      containerArn: containerArn(realm, task.cluster, task.id, containerId(task.id, seen.name)),
      taskArn: taskArn(realm, task.cluster, task.id),
      name: seen.name,
      lastStatus: seen.status,
      imageDigest: seen.imageDigest,
      runtimeId: seen.runtimeId,
      exitCode: seen.exitCode,
      reason: seen.reason,
      startedAt: timeOf(seen.startedAt),
      stoppedAt: timeOf(seen.stoppedAt),
      networkBindings: seen.networkBindings,
      networkInterfaces: [],
      healthStatus: 'UNKNOWN' as const,
      oomKilled: seen.oomKilled,
      lastLogLines: seen.lastLogLines,
      ...sizesOf(container),
    });
  });
}

/** ECS answers a container's sizes as strings here. */
const sizesOf = (container: ContainerDefinition | undefined) => ({
  essential: container?.essential ?? true,
  image: container?.image ?? '',
  cpu: String(container?.cpu ?? 0),
  memory: container?.memory === undefined ? undefined : String(container.memory),
  memoryReservation: container?.memoryReservation === undefined ? undefined : String(container.memoryReservation),
});

/** ECS names containers by UUIDs; ours follow from task and name, so nobody has to keep them. */
function containerId(taskId: string, name: string): string {
  const hex = hash('sha256', `${taskId}/${name}`);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** Echoed in full, as ECS does it: one entry a container, whether or not anything of it was overridden. */
function overridesOf({ overrides }: Task, definition: TaskDefinition): TaskView['overrides'] {
  return {
    ...overrides,
    containerOverrides: definition.containerDefinitions.map(
      ({ name }) => overrides.containerOverrides.find((override) => override.name === name) ?? { name },
    ),
    inferenceAcceleratorOverrides: [],
  };
}
