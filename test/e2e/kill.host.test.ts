/**
 * kill -9 of agents and of the control plane in the middle of 50 RunTasks: every acknowledged task reaches its right end, none runs
 * twice, no host is over-committed, and nothing is left. A witness outside of the cloud says which containers really ran. On
 * SQLite chaos.host.test.ts shows that, and more.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Output } from '../../core/api/operations.ts';
import { findExecutable } from '../../local/containerd.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf, taskLeftoversOf } from '../support/leftovers.ts';
import type { Victim } from './cloud.ts';
import { platforms } from './platforms.ts';
import { type Stage, setStage } from './stage.ts';
import { startTally, type Tally } from './tally.ts';
import { untilAnswered } from './until-answered.ts';
import { type TaskView, whenTask } from './when-task.ts';

const taskCount = 50;
const inFlight = 8;
const tasksAHost = 4;

/** After how many acknowledged calls who is killed. */
const victims: Readonly<Record<number, readonly Victim[]>> = {
  5: ['agent-host-1'],
  12: ['control-plane'],
  20: ['agent-host-2'],
  28: ['control-plane', 'agent-host-3'],
  40: ['agent-host-1', 'agent-host-2', 'agent-host-3'],
  50: ['control-plane', 'agent-host-1', 'agent-host-2', 'agent-host-3'],
};

const nameOf = (index: number): string => `run-${index}`;
const codeOf = (index: number): number => index % 7;

for (const platform of platforms.filter(({ name }) => name !== 'SQLite')) {
  describeWithContainers(`kill -9 in the middle of ${taskCount} RunTasks on ${platform.name}`, () => {
    let stage: Stage;
    let tally: Tally;

    beforeAll(async () => {
      stage = await setStage(platform);
      tally = await startTally(bridgeAddress(stage.cloud.name));
      const { client } = stage.cloud;
      const { hosts } = await client.call('GetHosts', { cluster: 'default' });
      const free = hosts.map(freeMemory);
      await client.call('RegisterTaskDefinition', {
        family: 'witnessed',
        networkMode: 'bridge',
        containerDefinitions: [
          {
            name: 'main',
            image: stage.images.busybox,
            memory: Math.floor(Math.min(...free) / tasksAHost),
            command: [
              'sh',
              '-c',
              `say() { wget -q -O /dev/null ${tally.url}/$1/$NAME; }; say began && sleep 1 && say ended && exit $CODE`,
            ],
          },
        ],
      });
    });

    afterAll(async () => {
      await tally?.[Symbol.asyncDispose]();
      await stage?.[Symbol.asyncDispose]();
    });

    it('loses nothing, runs nothing twice, over-commits nothing and leaves nothing', async () => {
      const { cloud } = stage;
      const { client } = cloud;
      const tasks = await runAll(stage, async (acknowledged) => {
        await Promise.all((victims[acknowledged] ?? []).map((victim) => cloud.kill(victim)));
      });
      expect(new Set(tasks).size).toBe(taskCount);

      const ended = await Promise.all(tasks.map((task) => untilAnswered(() => whenTask(client, 'stopped', task))));
      expect(ended.filter((task, index) => !endedWith(task, codeOf(index)))).toEqual([]);
      expect(tally.began.map(({ name }) => name).toSorted()).toEqual(
        Array.from({ length: taskCount }, (_, index) => nameOf(index)).toSorted(),
      );
      expect(tally.mostAtOnce).toBeLessThanOrEqual(tasksAHost);
      expect(tally.mostAtOnce).toBeGreaterThan(1);

      const { hosts } = await client.call('GetHosts', { cluster: 'default' });
      for (const { registeredResources, remainingResources } of hosts)
        expect(remainingResources).toEqual(registeredResources);
      expect(taskLeftoversOf(stage.cloud)).toEqual([]);
      expect(containersAndSnapshots(stage)).toEqual([]);

      await cloud.down();
      expect(leftoversOf(stage.cloud)).toEqual([]);
    });
  });
}

/** Acknowledged tasks in the order of their indexes. What is not answered is asked again with the same token, as clients do. */
async function runAll(stage: Stage, acknowledged: (count: number) => Promise<void>): Promise<string[]> {
  const tasks: string[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < taskCount) {
      const index = next++;
      tasks[index] = await runOne(stage, index);
      done += 1;
      await acknowledged(done);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return tasks;
}

async function runOne({ cloud }: Stage, index: number): Promise<string> {
  const { tasks, failures } = await untilAnswered(() =>
    cloud.client.call('RunTask', {
      taskDefinition: 'witnessed',
      clientToken: nameOf(index),
      overrides: {
        containerOverrides: [
          {
            name: 'main',
            environment: [
              { name: 'NAME', value: nameOf(index) },
              { name: 'CODE', value: `${codeOf(index)}` },
            ],
          },
        ],
      },
    }),
  );
  expect(failures).toEqual([]);
  expect(tasks).toHaveLength(1);
  return tasks[0]?.taskArn ?? '';
}

const endedWith = ({ stopCode, containers }: TaskView, exitCode: number): boolean =>
  stopCode === 'EssentialContainerExited' && containers[0]?.exitCode === exitCode;

const freeMemory = (host: Output<'GetHosts'>['hosts'][number]): number =>
  host.remainingResources.find(({ name }) => name === 'MEMORY')?.integerValue ?? 0;

/** The address of the cloud's bridge in the machine's network namespace. */
function bridgeAddress(cloud: string): string {
  const [link] = JSON.parse(execFileSync('ip', ['-json', 'address', 'show', `${cloud}0`], { encoding: 'utf8' }));
  return link.addr_info.find(({ family }: { family: string }) => family === 'inet').local;
}

/** What containerd still knows of tasks. */
function containersAndSnapshots({ cloud }: Stage): string[] {
  const ctr = findExecutable('ctr') ?? 'ctr';
  const ask = (host: string, ...args: string[]): string[] =>
    execFileSync(
      ctr,
      ['--address', join(cloud.runDir, 'containerd.sock'), '--namespace', `${cloud.name}-${host}`, ...args],
      {
        encoding: 'utf8',
      },
    )
      .split('\n')
      .filter((line) => line !== '');
  expect(existsSync(join(cloud.runDir, 'containerd.sock'))).toBe(true);
  return ['host-1', 'host-2', 'host-3'].flatMap((host) => [
    ...ask(host, 'containers', 'list', '--quiet'),
    ...ask(host, 'tasks', 'list', '--quiet'),
    // Those of images are committed; a container's is active.
    ...ask(host, 'snapshots', 'list').filter((line) => /\bActive\b/.test(line)),
  ]);
}
