/** One container that writes for some seconds, and what everybody used for it meanwhile. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { shimsOf } from '../../test/support/containerd.ts';
import type { Stage } from '../start/stage.ts';

/** Seconds of one processor, unless it says otherwise. */
export interface Sample {
  readonly shim: number;
  readonly containerd: number;
  /** Absent where there is none. */
  readonly agent?: number;
  readonly agentRssMib?: number;
  /** Bytes that are neither kept nor said to be dropped. */
  readonly lostBytes?: number;
  readonly keptMib?: number;
}

const lineBytes = 100;
const writesASecond = 10;
const bytesAWrite = 10_000_000;
const bytesASecond = bytesAWrite * writesASecond;
/** The kernel's unit in /proc (CLK_TCK). */
const ticksASecond = 100;
/** From the last write to the end, so that everything is noted and measured before anything is taken away. */
const restSeconds = 3;

/** Ten times a second ten megabytes, each in lines that say which it is. */
const writer = (seconds: number): string[] => [
  '/bin/sh',
  '-c',
  `i=0; while [ $i -lt ${seconds * writesASecond} ]; do i=$((i+1)); ` +
    `yes "$(printf '%06d ${'x'.repeat(lineBytes - 8)}' $i)" | head -c ${bytesAWrite} & sleep ${1 / writesASecond}; wait; done; ` +
    `sleep ${restSeconds}`,
];

export async function measureBare(stage: Stage, seconds: number, signal: AbortSignal): Promise<Sample> {
  const [, bare] = stage.contenders;
  if (bare === undefined) throw new Error('The stage has no bare contender.');
  const before = cpuSeconds(stage.cloud.containerdPid);
  const container = await bare.start(writer(seconds));
  await written(stage, stage.cloud.namespaces.bare, seconds, signal);
  const used = {
    shim: shimSeconds(stage, stage.cloud.namespaces.bare),
    containerd: cpuSeconds(stage.cloud.containerdPid) - before,
  };
  await container.remove();
  return used;
}

export async function measureGantry(stage: Stage, seconds: number, signal: AbortSignal): Promise<Sample> {
  const { client, cloud } = stage;
  const { family, agentPid, containerdPid, namespaces } = cloud;
  const [containerdBefore, agentBefore] = [cpuSeconds(containerdPid), cpuSeconds(agentPid)];
  const overrides = { containerOverrides: [{ name: 'app', command: writer(seconds) }] };
  const { tasks } = await client.call('RunTask', { taskDefinition: family, overrides });
  const task = tasks[0]?.taskArn.split('/').at(-1) ?? '';
  await client.call('GetTask', { task, wait: 'running', timeout: 25 });
  let agentRssMib = 0;
  await written(stage, namespaces.gantry, seconds, signal, () => {
    agentRssMib = Math.max(agentRssMib, rssMib(agentPid));
  });
  const used = {
    shim: shimSeconds(stage, namespaces.gantry),
    containerd: cpuSeconds(containerdPid) - containerdBefore,
    agent: cpuSeconds(agentPid) - agentBefore,
    agentRssMib,
  };
  await client.call('GetTask', { task, wait: 'stopped', timeout: 25 });
  let told = 0;
  let kept = 0;
  for await (const { text, droppedBytes } of client.logs({ cluster: 'default', task }, signal)) {
    told += droppedBytes ?? text.length + 1;
    kept += droppedBytes === undefined ? text.length + 1 : 0;
  }
  return { ...used, lostBytes: seconds * bytesASecond - told, keptMib: kept / 1024 ** 2 };
}

/** Until the writer has written for so long and a second more; looks ten times a second. */
async function written(
  stage: Stage,
  namespace: string,
  seconds: number,
  signal: AbortSignal,
  look: () => void = () => {},
): Promise<void> {
  const before = performance.now();
  const isWriting = (): boolean => shimsOf(stage.cloud.containerdSocket, namespace).length > 0;
  while (performance.now() - before < (seconds + 1) * 1000 && isWriting()) {
    await delay(100, undefined, { signal });
    look();
  }
}

const shimSeconds = ({ cloud }: Stage, namespace: string): number =>
  shimsOf(cloud.containerdSocket, namespace).reduce((sum, pid) => sum + cpuSeconds(pid), 0);

/** User and system time of the process since it began. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
}

const rssMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
