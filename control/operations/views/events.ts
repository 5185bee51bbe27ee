/**
 * Changes of tasks and hosts as events, in the shape of ECS' own: what changed, and a `version` by which a reader drops what comes twice
 * or late. Pure: the same change gives the same event whenever it is told.
 */
import { clusterArn, containerInstanceArn, type Realm, taskArn, taskDefinitionArn } from '../../../core/arn.ts';
import type { DetailType } from '../../../core/model/event.ts';
import type { HostCapacity, HostIdentity } from '../../../core/model/host.ts';
import { shownHostStatus } from '../../../core/model/host.ts';
import { hostCondition } from '../../../core/model/host-condition.ts';
import type { Task } from '../../../core/model/task.ts';
import type { TaskDefinition } from '../../../core/model/task-definition.ts';
import { desiredStatus, lastStatus } from '../../../core/task/status.ts';
import { taskHeadline } from '../../../core/task/story.ts';
import { hostView } from './host-view.ts';
import { taskView } from './task-view.ts';

export interface StateEvent {
  readonly detailType: DetailType;
  readonly cluster: string;
  /** Id of the task, host, order or call that it is about. */
  readonly subject: string;
  /** A sentence for people. */
  readonly headline: string;
  /** ARNs that rules may match. */
  readonly resources: readonly string[];
  /** Dates as ISO text. */
  readonly detail: string;
}

/** Whether something changed that a task's event tells of: an observation with a new sequence alone is none. */
export const taskHasChanged = (before: Task | undefined, after: Task): boolean =>
  before === undefined || toldOfTask(before) !== toldOfTask(after);

const toldOfTask = (task: Task): string =>
  JSON.stringify([
    lastStatus(task),
    desiredStatus(task),
    task.hostId,
    task.hostGoes?.reason,
    task.replacedBy,
    task.observed?.containers.map(({ name, status, exitCode }) => [name, status, exitCode]),
  ]);

/** Without the host, which may have changed since, and without log lines, which are for who may read the task. */
export function taskEvent(realm: Realm, task: Task, definition: TaskDefinition, at: number | undefined): StateEvent {
  const view = taskView(task, { realm, definition, identity: undefined, capacity: undefined });
  const {
    explanation: _,
    capacityNote: __,
    story: ___,
    cannot: ____,
    attributes: _____,
    hostName: ______,
    ...members
  } = view;
  const containers = view.containers.map(({ lastLogLines: _lines, ...container }) => container);
  const detail = { ...members, containers, updatedAt: at === undefined ? undefined : new Date(at) };
  return {
    detailType: 'ECS Task State Change',
    cluster: task.cluster,
    subject: task.id,
    headline: `${task.family}:${task.revision} ${taskHeadline(task)}${isAskedToStop(task) ? ', and is asked to stop' : ''}`,
    resources: [taskArn(realm, task.cluster, task.id)],
    detail: JSON.stringify(detail),
  };
}

const isAskedToStop = (task: Task): boolean => lastStatus(task) === 'RUNNING' && desiredStatus(task) === 'STOPPED';

/** That a task begins to wait, and for what: none where it was placed at once. */
export function waitingEvents(realm: Realm, task: Task, at: number | undefined): StateEvent[] {
  const { explanation, cluster, family, revision } = task;
  if (task.hostId !== undefined || explanation === undefined) return [];
  const detail = {
    clusterArn: clusterArn(realm, cluster),
    taskArn: taskArn(realm, cluster, task.id),
    taskDefinitionArn: taskDefinitionArn(realm, family, revision),
    group: task.needs.group,
    startedBy: task.startedBy,
    why: explanation.sentence,
    histogram: explanation.histogram,
    updatedAt: at === undefined ? undefined : new Date(at),
  };
  return [
    {
      detailType: 'Gantry Task Waiting',
      cluster,
      subject: task.id,
      headline: `no host takes ${family}:${revision} now: ${explanation.sentence}`,
      resources: [taskArn(realm, cluster, task.id)],
      detail: JSON.stringify(detail),
    },
  ];
}

/** Whether a host's event has something to tell: what its tasks take and give back is told by theirs. */
export const hostHasChanged = (before: HostCapacity | undefined, after: HostCapacity): boolean =>
  before === undefined || toldOfHost(before) !== toldOfHost(after);

const toldOfHost = (host: HostCapacity): string =>
  JSON.stringify([
    shownHostStatus(host),
    host.connected,
    hostCondition(host),
    host.totalCpuUnits,
    host.totalMemoryMib,
    Object.entries(host.attributes).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);

/** Of the identity only what never changes. */
export function hostEvent(
  realm: Realm,
  host: HostCapacity,
  identity: HostIdentity,
  at: number | undefined,
): StateEvent {
  const view = hostView(realm, identity, host, []);
  const {
    runningTasksCount: _,
    pendingTasksCount: __,
    versionInfo: ___,
    hostAddress: ____,
    tags: _____,
    ...members
  } = view;
  const detail = {
    ...members,
    clusterArn: clusterArn(realm, host.cluster),
    version: versionOf(host),
    updatedAt: at === undefined ? undefined : new Date(at),
  };
  return {
    detailType: 'ECS Container Instance State Change',
    cluster: host.cluster,
    subject: host.hostId,
    headline: `${host.name} ${shownHostStatus(host)}, ${connection(host)}`,
    resources: [containerInstanceArn(realm, host.cluster, host.hostId)],
    detail: JSON.stringify(detail),
  };
}

function connection(host: HostCapacity): string {
  const condition = hostCondition(host);
  if (condition === 'LOST') return 'lost: its tasks are given up';
  return host.connected ? 'connected' : 'not connected';
}

/** Each of these only grows, and each change that is told of makes one of them grow. */
const versionOf = (host: HostCapacity): number => {
  const { generation, releases = 0, epoch, reportedEpoch, connectedChangedAt, attributesVersion = 0 } = host;
  return generation + releases + epoch + reportedEpoch + connectedChangedAt + attributesVersion;
};
