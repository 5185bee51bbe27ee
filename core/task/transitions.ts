/**
 * Who may move a task from which status to which: the guard, the diagram in docs/task-states.md and the tests come from this table.
 * Each status has exactly one owner. Guards answer the new task and never write; the writer counts `version`.
 */
import { compact } from '../compact.ts';
import {
  type Desired,
  type StopCode,
  type Task,
  type TaskObservation,
  type TaskStatus,
  taskStatusSchema,
} from '../model/task.ts';
import { defaultStopReason, lastStatus } from './status.ts';

export type Actor = 'control plane' | 'agent';

type Table = Readonly<Record<Actor, Readonly<Partial<Record<TaskStatus, readonly TaskStatus[]>>>>>;

/** Reports are coalesced, so an agent may pass over statuses; nobody moves back. ACTIVATING and DEACTIVATING are not used yet. */
export const transitions = {
  'control plane': {
    PROVISIONING: ['PENDING', 'STOPPED'],
  },
  agent: {
    PENDING: ['RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED'],
    RUNNING: ['STOPPING', 'DEPROVISIONING', 'STOPPED'],
    STOPPING: ['DEPROVISIONING', 'STOPPED'],
    DEPROVISIONING: ['STOPPED'],
  },
} as const satisfies Table;

/**
 * A verdict is no transition of these but a fact that overrules them: the control plane gives it for what no agent can say, and the
 * status reads STOPPED from then on, whatever the agent observes later.
 */
export const endedByVerdict = [
  'PROVISIONING',
  'PENDING',
  'RUNNING',
  'STOPPING',
  'DEPROVISIONING',
] as const satisfies TaskStatus[];

export const mayMove = (actor: Actor, from: TaskStatus, to: TaskStatus): boolean =>
  ((transitions as Table)[actor][from] ?? []).includes(to);

export type ObservationOutcome =
  /** To be written. `statusChanged`: lastStatus differs from before. */
  | { readonly kind: 'accepted'; readonly task: Task; readonly statusChanged: boolean }
  /** Known already, or overtaken by a newer report: nothing to write; tell the agent that it is accepted. */
  | { readonly kind: 'late' }
  /** Nothing is written; the agent is told that it is accepted, since it would only repeat itself, and the fault is logged. */
  | { readonly kind: 'illegal'; readonly why: string };

/** What an agent's report makes of the task. After a verdict the observation is kept, and the status stays. */
export function acceptObservation(task: Task, observation: TaskObservation): ObservationOutcome {
  if (task.hostId === undefined) return { kind: 'illegal', why: `task ${task.id} was never placed on a host` };
  const before = task.observed;
  if (before !== undefined && observation.sequence <= before.sequence) return { kind: 'late' };
  const from = before?.status ?? 'PENDING';
  if (observation.status !== from && !mayMove('agent', from, observation.status)) {
    return { kind: 'illegal', why: `task ${task.id} cannot move from ${from} to ${observation.status}` };
  }
  const observed = before === undefined ? observation : { ...observation, ...phaseTimes(before) };
  const accepted = { ...task, observed };
  return { kind: 'accepted', task: accepted, statusChanged: lastStatus(task) !== lastStatus(accepted) };
}

/** Each is set once: a later report cannot change when a phase was. */
const phaseTimes = (observation: TaskObservation): Partial<TaskObservation> =>
  compact({
    acceptedAt: observation.acceptedAt,
    pullStartedAt: observation.pullStartedAt,
    pullStoppedAt: observation.pullStoppedAt,
    startedAt: observation.startedAt,
    stoppingAt: observation.stoppingAt,
    executionStoppedAt: observation.executionStoppedAt,
    stoppedAt: observation.stoppedAt,
  });

export interface Assignment {
  readonly hostId: string;
  readonly hostName: string;
  readonly reason: string;
  readonly at: number;
}

/** PROVISIONING to PENDING. Undefined where the task is placed already, or is not to run any more. */
export function placeOn(task: Task, assignment: Assignment): Task | undefined {
  if (lastStatus(task) !== 'PROVISIONING') return undefined;
  const { explanation: _, capacityNote: __, ...placed } = task;
  return {
    ...placed,
    hostId: assignment.hostId,
    hostName: assignment.hostName,
    placedAt: assignment.at,
    placementReason: assignment.reason,
  };
}

export interface StopWish {
  readonly at: number;
  readonly stopCode?: StopCode;
  readonly reason?: string;
  /** SIGKILL at once; also of a task that is stopping already. */
  readonly force?: boolean;
}

/** Somebody asked for the end of the task. Undefined where that changes nothing: it is to stop already, or nothing of it is left. */
export function requestStop(task: Task, { at, stopCode, reason, force = false }: StopWish): Task | undefined {
  const { desired: seen } = task;
  const gone = task.hostId === undefined ? task.verdict !== undefined : task.observed?.status === 'STOPPED';
  const isStopping = seen.status === 'STOPPED';
  if (gone || (isStopping && !(force && task.hostId !== undefined && seen.force !== true))) return undefined;
  const desired: Desired = {
    status: 'STOPPED',
    version: seen.version + 1,
    // Who asked first is why it stops.
    at: isStopping ? seen.at : at,
    stopCode: (isStopping ? seen.stopCode : stopCode) ?? 'UserInitiated',
    reason: (isStopping ? seen.reason : reason) ?? defaultStopReason,
    ...(force && { force }),
  };
  return { ...task, desired };
}

/**
 * The control plane's own word, given once; undefined where the task has stopped. A host that returns does not stop what it runs
 * because of a verdict (someone must ask for that), but it must not start what it had not yet accepted.
 */
export function giveVerdict(
  task: Task,
  verdict: { readonly at: number; readonly stopCode: StopCode; readonly reason: string },
): Task | undefined {
  if (lastStatus(task) === 'STOPPED') return undefined;
  const told = task.observed === undefined ? (requestStop(task, verdict) ?? task) : task;
  return { ...told, verdict };
}

/**
 * The forced end of a task whose host does not answer: STOPPED for everybody, though its containers may run on until the host is heard
 * of again and kills them. Undefined where it has stopped.
 */
export const abandon = (task: Task, at: number): Task | undefined =>
  giveVerdict(task, {
    at,
    stopCode: task.desired.stopCode ?? 'UserInitiated',
    reason: `${task.desired.reason ?? defaultStopReason} (by force: ${task.hostName ?? 'its host'} does not answer, and will kill it once it does)`,
  });

/**
 * Whether the host's capacity is to be given back now. Only what the agent said is gone frees anything: after a verdict containers
 * may still run on a host that nobody hears.
 */
export const mustRelease = (task: Task): boolean =>
  task.hostId !== undefined && !task.released && task.observed?.status === 'STOPPED';

/** The table as a Mermaid state diagram. */
export function taskStateDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> PROVISIONING'];
  for (const actor of ['control plane', 'agent'] as const) {
    for (const from of taskStatusSchema.options) {
      for (const to of (transitions as Table)[actor][from] ?? []) lines.push(`  ${from} --> ${to}: ${actor}`);
    }
  }
  for (const from of endedByVerdict) lines.push(`  ${from} --> STOPPED: verdict`);
  lines.push('  STOPPED --> [*]');
  return lines.join('\n');
}
