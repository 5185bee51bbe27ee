/** `npm run bench -- footprint`: what agent, control plane and containerd hold and take, idle and with tasks, in one run. */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { containerdPaths, runningContainerd } from '../../local/containerd.ts';
import { cloudPaths } from '../../local/options.ts';
import { type CloudHandle, startCloud } from '../../test/support/cloud.ts';
import { shimsOf } from '../../test/support/containerd.ts';
import { startTestImages } from '../../test/support/test-images.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { buildPackage } from './package.ts';
import { type Footprint, footprints, type Program } from './processes.ts';

export const footprintBench: Bench = {
  name: 'footprint',
  summary: 'memory and processor time of agent and control plane, idle and with tasks, beside containerd and its shims',
  usage: [
    ['--tasks N', 'tasks that run in the second half (100)'],
    ['--seconds N', 'how long each half is measured, after half as long to settle (60)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    tasks: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
  run,
};

const family = 'bench';
const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const tasks = positiveInteger(options, 'tasks');
  const seconds = positiveInteger(options, 'seconds');
  const loadBefore = loadavg()[0] ?? 0;
  say('building the package');
  using built = await buildPackage();
  await using images = await startTestImages();
  say('starting a cloud (gantry up)');
  await using cloud = await startCloud([], built.launcher);
  const idle = await settledFootprints(cloud, seconds, signal);
  say(`starting ${tasks} tasks`);
  await runTasks(cloud, images.busybox, tasks, signal);
  const busy = await settledFootprints(cloud, seconds, signal);
  const text = [
    `\`npm run bench -- footprint --tasks ${tasks} --seconds ${seconds}\`, ${new Date().toISOString().slice(0, 10)}. ${machineLine()}. ` +
      `Load before: ${loadBefore.toFixed(2)}.`,
    '',
    '| | processes | RSS MiB | PSS MiB | % of a core |',
    '|---|---|---|---|---|',
    ...idle.map((each) => row('idle', each)),
    ...busy.map((each) => row(`${tasks} tasks`, each)),
  ].join('\n');
  console.log(text);
  if (options.write === true) writeFigures('footprint', text);
}

const row = (when: string, { name, processes, rssMib, pssMib, cpuPercent }: Footprint): string =>
  `| ${name}, ${when} | ${processes} | ${rssMib.toFixed(1)} | ${pssMib.toFixed(1)} | ${cpuPercent.toFixed(2)} |`;

async function settledFootprints(cloud: CloudHandle, seconds: number, signal: AbortSignal): Promise<Footprint[]> {
  say(`letting it settle for ${seconds / 2} s, then measuring for ${seconds} s`);
  await delay((seconds / 2) * 1000, undefined, { signal });
  return await footprints(programsOf(cloud), seconds, signal);
}

function programsOf({ dataDir, runDir, supervisor }: CloudHandle): Program[] {
  const paths = cloudPaths({ dataDir, runDir });
  const containerd = containerdPaths(dataDir, runDir);
  const noted = (pidFile: string): number[] => [Number(readFileSync(pidFile, 'utf8'))];
  const found = runningContainerd(containerd);
  return [
    { name: 'agent', pids: noted(paths.agentPid('host-1')) },
    { name: 'control plane', pids: noted(paths.serverPid) },
    { name: '`gantry up` itself', pids: supervisor.pid === undefined ? [] : [supervisor.pid] },
    { name: 'containerd', pids: found === undefined ? [] : [found] },
    { name: "containerd's shims", pids: shimsOf(containerd.socket) },
  ];
}

/** With limits, a network of their own and a published port each; they do nothing. */
async function runTasks({ client }: CloudHandle, image: string, count: number, signal: AbortSignal): Promise<void> {
  const containerDefinitions = [
    {
      name: 'main',
      image,
      cpu: 10,
      memory: 32,
      command: ['sleep', '86400'],
      portMappings: [{ containerPort: 80, hostPort: 0 }],
    },
  ];
  await client.call('RegisterTaskDefinition', { family, networkMode: 'bridge', containerDefinitions });
  const { tasks, failures } = await client.call('RunTask', { taskDefinition: family, count });
  if (tasks.length < count) throw new Error(`Only ${tasks.length} were placed: ${JSON.stringify(failures[0])}`);
  for (;;) {
    const { clusters } = await client.call('DescribeClusters', {});
    if ((clusters[0]?.runningTasksCount ?? 0) >= count) return;
    await delay(200, undefined, { signal });
  }
}
