/**
 * `kill -9` at random of agents, control plane, containerd and shims while tasks of all kinds are run: what must hold whatever happens
 * is checked at the end. Who is killed when, and what is run, follow from the seed; what that does to whom does not.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runtimeIdOf } from '../../agent/containerd/runtime-naming.ts';
import type { Output } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import type { Stage } from '../e2e/stage.ts';
import { startTally, type Tally } from '../e2e/tally.ts';
import { untilAnswered } from '../e2e/until-answered.ts';
import { whenTask } from '../e2e/when-task.ts';
import { shimsOf } from '../support/containerd.ts';
import { definitionsOf, familyOf } from './definitions.ts';
import { type Fate, sharedPorts, wrongEnd, wrongLines } from './end.ts';
import { remainsOf, socketOf } from './remains.ts';
import { castOf, oneOf, type Part, type Prey, type Shot, shotsOf } from './script.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly tasks: number;
  /** Between two shots, on average. */
  readonly pauseMs: number;
  /** Beside the agents. */
  readonly prey: readonly Prey[];
  readonly readsLogs: boolean;
  readonly say: (line: string) => void;
  /** Fires when it has taken too long. */
  readonly signal: AbortSignal;
}

const inFlight = 12;
const tasksAHost = 4;
/** After the last task has stopped, for hosts to forget it. */
const settleMs = 30_000;

type Host = Output<'GetHosts'>['hosts'][number];

interface Run {
  readonly stage: Stage;
  readonly options: ChaosOptions;
  readonly tally: Tally;
  readonly hosts: readonly string[];
  readonly fates: Fate[];
  /** By task id. */
  readonly acknowledged: Map<string, Part>;
  /** Tasks whose shim was killed, by id. */
  readonly shot: Set<string>;
}

/** Answers what was wrong, a sentence each; nothing where all held. */
export async function runChaos(stage: Stage, options: ChaosOptions): Promise<string[]> {
  const { client, name } = stage.cloud;
  await using tally = await startTally(bridgeAddress(name));
  const { hosts } = await client.call('GetHosts', { cluster: 'default' });
  const memoryMib = Math.floor(Math.min(...hosts.map(freeMemory)) / tasksAHost);
  for (const definition of definitionsOf(stage.images.busybox, tally.url, memoryMib))
    await client.call(
      'RegisterTaskDefinition',
      definition as Parameters<typeof client.call<'RegisterTaskDefinition'>>[1],
    );
  const run: Run = {
    stage,
    options,
    tally,
    hosts: hosts.map((host) => host.hostName),
    fates: [],
    acknowledged: new Map(),
    shot: new Set(),
  };
  const parts = castOf(options.seed, options.tasks);
  const isOver = new AbortController();
  const hunt = shoot(run, AbortSignal.any([isOver.signal, options.signal]));
  const failures = await playAll(run, parts);
  isOver.abort();
  await hunt;
  return [...failures, ...(await findings(run, parts))];
}

async function playAll(run: Run, parts: readonly Part[]): Promise<string[]> {
  const left = [...parts];
  const failures: string[] = [];
  const worker = async () => {
    for (let part = left.shift(); part !== undefined && !run.options.signal.aborted; part = left.shift()) {
      try {
        run.fates.push(await play(run, part));
      } catch (error) {
        failures.push(`${part.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (run.fates.length % 25 === 0) run.options.say(`${run.fates.length} of ${parts.length} tasks have ended`);
    }
  };
  const all = Promise.all(Array.from({ length: inFlight }, worker));
  const { promise: tooLong, resolve } = Promise.withResolvers<void>();
  run.options.signal.addEventListener('abort', () => resolve());
  await Promise.race([all, tooLong]);
  return run.options.signal.aborted ? [...failures, 'it took too long'] : failures;
}

async function play(run: Run, part: Part): Promise<Fate> {
  const { client } = run.stage.cloud;
  const task = await untilAnswered(() => ask(run, part));
  const id = task.split('/').at(-1) ?? '';
  run.acknowledged.set(id, part);
  if (part.kind === 'stopped') await stopOnceItRuns(run, part, task);
  const end = await untilAnswered(() => whenTask(client, 'stopped', task));
  const isRead = part.kind === 'writes' && run.options.readsLogs && end.startedAt !== undefined;
  const lines = isRead ? await untilAnswered(() => linesOf(run, id)) : undefined;
  run.tally.gone(part.name);
  return { part, task: id, end, lines, isShot: run.shot.has(id) };
}

/** What is not answered is asked again with the same token, as clients do. */
async function ask({ stage }: Run, { name, kind, exitCode, seconds }: Part): Promise<string> {
  const environment = [
    { name: 'NAME', value: name },
    { name: 'CODE', value: `${exitCode}` },
    { name: 'SECONDS', value: `${seconds}` },
  ];
  const containers = kind === 'waits' ? ['main', 'first'] : ['main'];
  const { tasks, failures } = await stage.cloud.client.call('RunTask', {
    taskDefinition: familyOf(kind),
    clientToken: name,
    overrides: { containerOverrides: containers.map((container) => ({ name: container, environment })) },
  });
  const [task] = tasks;
  if (task === undefined || tasks.length > 1)
    throw new Error(`RunTask answered ${JSON.stringify({ tasks, failures })}`);
  return task.taskArn;
}

/** The witness knows when it heeds SIGTERM. One that has stopped before that was shot, or is found to be wrong. */
async function stopOnceItRuns({ stage, tally }: Run, { name }: Part, task: string): Promise<void> {
  const { client } = stage.cloud;
  const stopped = untilAnswered(() => whenTask(client, 'stopped', task)).then(() => false);
  if (await Promise.race([tally.beganBy(name).then(() => true), stopped]))
    await untilAnswered(() => client.call('StopTask', { cluster: 'default', task, reason: 'chaos' }));
}

async function linesOf({ stage, options }: Run, task: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of stage.cloud.client.logs({ cluster: 'default', task }, options.signal)) {
    // Its last lines stand in for the log while its agent is down, or where it dies meanwhile; that it is back is waited for.
    if (line.notice === true && /is not connected|was lost/.test(line.text))
      throw new GantryError('ServiceUnavailableException', line.text);
    lines.push(line.text);
  }
  return lines;
}

/** Until the signal fires. */
async function shoot(run: Run, signal: AbortSignal): Promise<void> {
  const { seed, prey, pauseMs, say } = run.options;
  const all = [...run.hosts.map((host): Prey => `agent-${host}`), ...prey];
  const counts = new Map<Prey, number>();
  for (const shot of shotsOf(seed, all, pauseMs)) {
    await delay(shot.afterMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const isHit = shot.prey === 'shim' ? shootShim(run, shot) : await shootAt(run, shot.prey);
    if (isHit) counts.set(shot.prey, (counts.get(shot.prey) ?? 0) + 1);
  }
  say(`killed: ${[...counts].map(([one, times]) => `${one} ${times} times`).join(', ')}`);
}

/** What is down already is let come back: shot again before it has done anything, it would be started ever more seldom. */
async function shootAt({ stage: { cloud } }: Run, prey: Exclude<Prey, 'shim'>): Promise<boolean> {
  const pidFile = join(cloud.runDir, `${prey === 'control-plane' ? 'server' : prey}.pid`);
  if (existsSync(pidFile) && !existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)) return false;
  await cloud.kill(prey);
  return true;
}

function shootShim({ stage, acknowledged, shot, tally }: Run, { which }: Shot): boolean {
  const shims = shimsOf(socketOf(stage.cloud));
  if (shims.length === 0) return false;
  const pid = oneOf(shims, which);
  const id = argumentAfter(pid, '-id');
  const found = [...acknowledged].find(([task]) => containerIds(task).includes(id));
  if (found === undefined) return false; // It is gone, or its task is about to be acknowledged.
  const [task, { name }] = found;
  shot.add(task);
  process.kill(pid, 'SIGKILL');
  tally.gone(name);
  return true;
}

const containerIds = (task: string): string[] =>
  ['main', 'first'].flatMap((name) => [0, 1, 2, 3].map((attempt) => runtimeIdOf(task, name, attempt)));

function argumentAfter(pid: number, option: string): string {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return argv[argv.indexOf(option) + 1] ?? '';
  } catch {
    return ''; // It has ended.
  }
}

async function findings(run: Run, parts: readonly Part[]): Promise<string[]> {
  const { fates, tally, stage, hosts } = run;
  const times = Map.groupBy(tally.began, ({ name }) => name);
  const shot = new Set(fates.filter(({ isShot }) => isShot).map(({ part }) => part.name));
  const wrongTimes = parts.flatMap(({ name }) => {
    const began = times.get(name)?.length ?? 0;
    return began === 1 || (began === 0 && shot.has(name)) ? [] : [`${name} ran ${began} times`];
  });
  const tooMany =
    tally.mostAtOnce > tasksAHost ? [`${tally.mostAtOnce} tasks ran at once on a host for ${tasksAHost}`] : [];
  return [
    ...fates.flatMap(wrongEnd),
    ...fates.flatMap(wrongLines),
    ...sharedPorts(fates),
    ...wrongTimes,
    ...tooMany,
    ...(await onceSettled(async () => [...(await reservedOn(stage)), ...remainsOf(stage.cloud, hosts)])),
  ];
}

/** What is still there after a while. */
async function onceSettled(look: () => Promise<string[]>): Promise<string[]> {
  const deadline = Date.now() + settleMs;
  for (;;) {
    const seen = await untilAnswered(look).catch((error: unknown) => [String(error)]);
    if (seen.length === 0 || Date.now() > deadline) return seen;
    await delay(250);
  }
}

async function reservedOn({ cloud }: Stage): Promise<string[]> {
  const { hosts } = await cloud.client.call('GetHosts', { cluster: 'default' });
  return hosts.flatMap(({ hostName: name, registeredResources, remainingResources }) =>
    JSON.stringify(registeredResources) === JSON.stringify(remainingResources)
      ? []
      : [`${name} has ${JSON.stringify(remainingResources)} left of ${JSON.stringify(registeredResources)}`],
  );
}

const freeMemory = (host: Host): number =>
  host.remainingResources.find(({ name }) => name === 'MEMORY')?.integerValue ?? 0;

/** The address of the cloud's bridge in the machine's network namespace. */
function bridgeAddress(cloud: string): string {
  const [link] = JSON.parse(execFileSync('ip', ['-json', 'address', 'show', `${cloud}0`], { encoding: 'utf8' }));
  return link.addr_info.find(({ family }: { family: string }) => family === 'inet').local;
}
