/** What to do about a task that waits or went wrong, in one sentence each; nothing where there is nothing to do. */
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import type { Dimension } from '../../core/placement/explanation.ts';
import { shortId } from './task.ts';

export function adviceFor(task: TaskView): string[] {
  if (task.lastStatus === 'PROVISIONING') return waitingAdvice(task);
  if (task.lastStatus !== 'STOPPED') return [];
  const ofContainers = task.containers.flatMap((container) => containerAdvice(container) ?? []);
  const outOfTime = task.stoppedReason?.startsWith('TaskTimedOut') === true ? [longer] : [];
  const neverPlaced = task.containerInstanceArn === undefined ? waitingAdvice(task) : [];
  return [...new Set([...neverPlaced, ...leftAdvice(task), ...outOfTime, ...ofContainers])];
}

/** Of what was given up with its host, and may run on. */
function leftAdvice({ mayStillRun, connectivity, hostName, cannot, ...task }: TaskView): string[] {
  if (mayStillRun !== true || cannot.stop !== undefined) return [];
  return connectivity === 'CONNECTED'
    ? [`Its host is back and runs it to its end: \`gantry stop ${shortId(task)}\` ends it.`]
    : [`Is the machine gone for good? \`gantry deregister ${hostName ?? 'HOST'} --force\` says so.`];
}

const longer = 'Let it run for longer: --task-timeout, or the tag gantry:timeout-seconds of the task definition.';

const byDimension: Readonly<Record<Dimension, string>> = {
  status: 'Wait until its hosts are ACTIVE and have reported, or add a host: `gantry hosts`.',
  agent: 'See why agents are not connected: `gantry hosts` and `gantry doctor`.',
  attribute: 'Add a host with the attribute that it asks for, or change the task definition (runtimePlatform).',
  memberOf:
    "See which hosts its constraint is true of (`gantry hosts --where '…'`), add one, or change the constraint.",
  distinctInstance: 'Add a host, or stop a task of the group: each needs a host of its own.',
  cpu: 'Free CPU (`gantry ps`, `gantry stop ID`), add a host, or ask for less with --cpu.',
  memory: 'Free memory (`gantry ps`, `gantry stop ID`), add a host, or ask for less with --memory.',
  ports: 'Stop what holds the port, or ask for a dynamic one (hostPort 0).',
};

function waitingAdvice({ explanation, capacityNote }: TaskView): string[] {
  // Hosts are bought for it, or cannot be: adding one by hand is not the first thing to do.
  if (capacityNote?.startsWith('waits for ') === true) return ['`gantry capacity` shows what is on order.'];
  if (capacityNote !== undefined)
    return ['`gantry capacity` shows what may be bought; UpdateCapacityProvider changes what may.'];
  if (explanation === undefined) return [];
  if (explanation.hostsLookedAt === 0) return ['Add a host: `gantry up` makes this machine one.'];
  // The commonest reason is the one to begin with.
  const [commonest] = explanation.histogram;
  return commonest === undefined ? [] : [byDimension[commonest.dimension]];
}

const byReason: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/^CannotPull/, "Check the image's name, and that the host reaches its registry."],
  [/^OutOfMemoryError/, 'Give the container more memory: `memory` in the task definition, or --memory.'],
  [/^CannotStartContainerError/, 'Check entryPoint, command, user and workingDirectory against what is in the image.'],
];

const byExitCode: Readonly<Record<number, string>> = {
  126: 'The command is in the image but cannot be executed: check its permissions and its platform.',
  127: 'The command is not in the image: check entryPoint, command and PATH.',
};

function containerAdvice({ reason, exitCode, oomKilled }: ContainerView): string | undefined {
  const named = byReason.find(([pattern]) => pattern.test(reason ?? ''))?.[1];
  if (named !== undefined) return named;
  if (oomKilled === true) return byReason[1]?.[1];
  return exitCode === undefined ? undefined : byExitCode[exitCode];
}

/** Commands that make sense now, each with what it does. */
export function nextCommands(task: TaskView): (readonly [command: string, what: string])[] {
  const id = shortId(task);
  const { readLogs, stop } = task.cannot;
  return [
    ...(readLogs === undefined
      ? [[`gantry logs ${id}${task.lastStatus === 'STOPPED' ? '' : ' -f'}`, 'what it wrote'] as const]
      : []),
    ...(task.lastStatus === 'RUNNING' ? [] : [[`gantry why ${id}`, 'why it is as it is'] as const]),
    ...(stop === undefined ? [[`gantry stop ${id}`, 'ends it'] as const] : []),
    ...(stop !== undefined && task.lastStatus !== 'STOPPED'
      ? [[`gantry stop ${id} --force`, 'kills it now'] as const]
      : []),
  ];
}
