/**
 * A task's story for people: what happened when, as data with one sentence each, and its present state in one sentence ("why is it
 * pending?", "why did it stop?"). Told from the task alone; never from logs, and never with a time that nobody wrote down.
 */
import type { ContainerObservation, HostGoes, Task } from '../model/task.ts';
import { runEndsAt } from '../model/task-limits.ts';
import { formatCpu, formatDuration, formatList, formatMib, formatTime } from '../text.ts';
import { lastStatus, mayStillRun, stopCause, taskTimes } from './status.ts';

/** In the order in which phases of the same moment are told. */
const phases = [
  'requested',
  'waiting',
  'placed',
  'pulling',
  'pulled',
  'started',
  'host-goes',
  'stop-requested',
  'container-stopped',
  'stopping',
  'given-up',
  'stopped',
] as const;
export type StoryPhase = (typeof phases)[number];

export interface StoryEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly phase: StoryPhase;
  readonly text: string;
}

export function taskStory(task: Task): StoryEntry[] {
  return [...beginning(task), ...running(task), ...ending(task)].sort(
    (a, b) => a.at - b.at || phases.indexOf(a.phase) - phases.indexOf(b.phase),
  );
}

function beginning(task: Task): StoryEntry[] {
  const { cpuUnits, memoryMib, ports } = task.needs.reservation;
  const needs = [formatCpu(cpuUnits), formatMib(memoryMib), ...ports];
  const instead = task.replaces === undefined ? '' : ` in place of the task ${task.replaces}`;
  const entries: StoryEntry[] = [
    {
      at: task.createdAt,
      phase: 'requested',
      text: `${task.family}:${task.revision} requested${instead}; it needs ${formatList(needs)}`,
    },
  ];
  if (task.explanation !== undefined)
    entries.push({ at: task.createdAt, phase: 'waiting', text: `no host takes it: ${whyWaiting(task)}` });
  if (task.placedAt !== undefined) {
    const waitedMs = task.placedAt - task.createdAt;
    const waited = waitedMs >= 1000 ? ` after ${formatDuration(waitedMs)}` : '';
    const reason = task.placementReason === undefined ? '' : `: ${task.placementReason}`;
    entries.push({ at: task.placedAt, phase: 'placed', text: `placed on ${hostOf(task)}${waited}${reason}` });
  }
  return entries;
}

const hostOf = (task: Task): string => task.hostName ?? task.hostId ?? 'no host';

function running(task: Task): StoryEntry[] {
  const { pullStartedAt, pullStoppedAt, startedAt } = taskTimes(task);
  const entries: StoryEntry[] = [];
  if (pullStartedAt !== undefined && pullStoppedAt === undefined) {
    entries.push({ at: pullStartedAt, phase: 'pulling', text: 'pulling images' });
  }
  if (pullStartedAt !== undefined && pullStoppedAt !== undefined) {
    const took = formatDuration(pullStoppedAt - pullStartedAt);
    const missing = (task.observed?.containers ?? []).some(({ imageDigest }) => imageDigest === undefined);
    entries.push({
      at: pullStoppedAt,
      phase: 'pulled',
      text: `${missing ? 'pulling ended' : 'images ready'} after ${took}`,
    });
  }
  if (startedAt !== undefined) {
    const text = `running, ${formatDuration(startedAt - task.createdAt)} after the request`;
    entries.push({ at: startedAt, phase: 'started', text });
  }
  if (task.hostGoes !== undefined) {
    const { toldAt, reason } = task.hostGoes;
    entries.push({ at: toldAt, phase: 'host-goes', text: `told that its host ${goes(task.hostGoes)}: ${reason}` });
  }
  return entries;
}

function ending(task: Task): StoryEntry[] {
  const { observed, verdict, desired } = task;
  const times = taskTimes(task);
  const cause = stopCause(task);
  const entries: StoryEntry[] = [];
  if (desired.status === 'STOPPED' && verdict?.at !== desired.at) {
    entries.push({
      at: desired.at,
      phase: 'stop-requested',
      text: `asked to stop: ${desired.reason ?? 'no reason given'}`,
    });
  }
  for (const container of observed?.containers ?? []) {
    const at = container.stoppedAt ?? (container.reason === undefined ? undefined : observed?.stoppingAt);
    if (at !== undefined) entries.push({ at, phase: 'container-stopped', text: containerEnd(container) });
  }
  if (observed?.stoppingAt !== undefined) {
    const why = observed.stoppedReason;
    const text = why === undefined ? 'stopping its containers' : `stopping: ${why}`;
    entries.push({ at: observed.stoppingAt, phase: 'stopping', text });
  }
  if (verdict !== undefined) entries.push({ at: verdict.at, phase: 'given-up', text: `given up: ${verdict.reason}` });
  if (times.stoppedAt !== undefined && lastStatus(task) === 'STOPPED') {
    entries.push({
      at: times.stoppedAt,
      phase: 'stopped',
      text: cause === undefined ? 'stopped' : `stopped (${cause.stopCode})`,
    });
  }
  return entries;
}

const signalNames: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** `container 'app' exited with code 0 after 3.2 s`. Only of a container that ended or failed. */
function containerEnd(container: ContainerObservation): string {
  const { name, exitCode, reason, startedAt, stoppedAt } = container;
  if (exitCode === undefined)
    return `container '${name}' ${startedAt === undefined ? 'did not start' : 'is gone'}: ${reason ?? 'nobody saw why'}`;
  const after =
    startedAt !== undefined && stoppedAt !== undefined ? ` after ${formatDuration(stoppedAt - startedAt)}` : '';
  const signal = signalNames[exitCode - 128];
  const code = `exited with code ${exitCode}${signal === undefined ? '' : ` (${signal})`}${after}`;
  return reason === undefined ? `container '${name}' ${code}` : `container '${name}' ${code}: ${reason}`;
}

/**
 * What the task does now, with the reason that a person would ask for next; its subject is the task: `runs on host-1`. `pullWaits`: what
 * its pulls wait for at this moment, where somebody has heard of it (pull-wait.ts).
 */
export function taskHeadline(task: Task, pullWaits?: string): string {
  switch (lastStatus(task)) {
    case 'PROVISIONING':
      return ['waits for a host', whyWaiting(task)].filter((part) => part !== '').join(': ');
    case 'PENDING':
    case 'ACTIVATING':
      return `${pendingHeadline(task, pullWaits)}${whatComes(task)}`;
    case 'RUNNING':
      return `runs on ${hostOf(task)}${timeLeft(task)}${whatComes(task)}`;
    case 'DEACTIVATING':
    case 'STOPPING':
    case 'DEPROVISIONING':
      return `is stopping${becauseOf(task)}${task.observed?.waiting === undefined ? '' : `; its host cannot go on now${hostCannot(task)}`}`;
    case 'STOPPED':
      return `stopped${becauseOf(task)}${whatIsLeft(task)}`;
  }
}

/** Why no host takes it, and what is done about that. */
const whyWaiting = ({ explanation, capacityNote }: Task): string =>
  [explanation?.sentence, capacityNote].filter((part) => part !== undefined).join('; ');

function pendingHeadline(task: Task, pullWaits: string | undefined): string {
  const { pullStartedAt, pullStoppedAt } = taskTimes(task);
  if (task.observed?.waiting !== undefined)
    return `is on ${hostOf(task)}, which cannot start it now${hostCannot(task)}`;
  if (task.observed === undefined) return `is placed on ${hostOf(task)}, which has not taken it yet`;
  if (pullStartedAt !== undefined && pullStoppedAt === undefined)
    return `is on ${hostOf(task)}, which pulls its images${pullWaits === undefined ? '' : `: ${pullWaits}`}`;
  return `is on ${hostOf(task)}, which starts it`;
}

/** Why its host cannot go on with it, and since when. */
function hostCannot({ observed }: Task): string {
  const { waiting } = observed ?? {};
  return waiting === undefined ? '' : `, since ${formatTime(waiting.since)}: ${waiting.reason}; it goes on by itself`;
}

/** Until when it may run, where it has a timeout. */
function timeLeft({ timeoutSeconds, observed }: Task): string {
  const endsAt = runEndsAt(timeoutSeconds, observed?.containers ?? []);
  return endsAt === undefined ? '' : `, until ${formatTime(endsAt)} at the latest (its timeout)`;
}

const goes = ({ stopsAt }: HostGoes): string => (stopsAt === undefined ? 'may go' : 'goes');

/** Of a task whose host is going to be taken away: why, and what becomes of it. */
function whatComes({ hostGoes, replaceable = false, replacedBy, desired }: Task): string {
  if (hostGoes === undefined || desired.status === 'STOPPED') return '';
  const { reason, stopsAt } = hostGoes;
  const place =
    replacedBy === undefined ? 'a successor is to take its place' : `the task ${replacedBy} takes its place`;
  const time = stopsAt === undefined ? undefined : formatTime(stopsAt);
  const alone = time === undefined ? 'it may run to its end' : `it is stopped at ${time} unless it has ended by then`;
  const fate = replaceable ? `${place}${time === undefined ? '' : `, at ${time} at the latest`}` : alone;
  return `, which ${goes(hostGoes)}: ${reason.replace(/\.$/, '')}; ${fate}`;
}

/** Of a task that was given up with its host: that it may run, and what becomes of that. */
function whatIsLeft(task: Task): string {
  if (!mayStillRun(task) || task.desired.status === 'STOPPED') return '';
  const { replacedBy, replaceable = false } = task;
  const alone = replaceable ? '; a successor takes its place once the host is heard again or retired' : '';
  const fate = replacedBy === undefined ? alone : `; the task ${replacedBy} takes its place`;
  return `; it may still run there${fate}`;
}

function becauseOf(task: Task): string {
  const cause = stopCause(task);
  const container = culprit(task.observed?.containers ?? []);
  const detail = container === undefined ? task.explanation?.sentence : containerEnd(container);
  const reason = cause?.stoppedReason;
  // Of a task that was never placed the reason ends with the explanation.
  const news = detail !== undefined && reason?.includes(detail) !== true;
  return [reason === undefined ? '' : `: ${reason}`, news ? ` (${detail})` : ''].join('');
}

/** The container that says most about the end: one that failed, else the one that ended first. */
function culprit(containers: readonly ContainerObservation[]): ContainerObservation | undefined {
  const ended = containers
    .filter(({ exitCode, reason }) => exitCode !== undefined || reason !== undefined)
    .sort((a, b) => (a.stoppedAt ?? 0) - (b.stoppedAt ?? 0));
  return ended.find(({ exitCode, reason }) => reason !== undefined || exitCode !== 0) ?? ended[0];
}
