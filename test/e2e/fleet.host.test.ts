/**
 * `gantry up --fleet` from no hosts at all: tasks wait, hosts come for them, all run, and the hosts go again, also where the control
 * plane is killed again and again meanwhile. A witness outside of the cloud says which containers really ran, and where.
 */
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLiveHosts } from '../../local/fleet/records.ts';
import { shareOf } from '../../local/host-plan.ts';
import { thisMachine } from '../../local/machine.ts';
import { cloudPaths } from '../../local/options.ts';
import { readOptions } from '../../local/server.ts';
import { type CloudHandle, endUp, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { killHard } from './one-machine.ts';
import { startTally, type Tally } from './tally.ts';
import { untilAnswered } from './until-answered.ts';
import { whenTask } from './when-task.ts';

const mostHosts = 5;
const calls = 5;
const tasksACall = 10;
const taskCount = calls * tasksACall;

describeWithContainers('gantry up --fleet', () => {
  let images: TestImages;
  let cloud: CloudHandle;
  let tally: Tally;

  beforeEach(async () => {
    images = await startTestImages();
    cloud = await startCloud(['--fleet', `0..${mostHosts}`, '--fleet-idle-seconds', '2']);
    const network = readOptions(cloudPaths(cloud))?.network;
    tally = await startTally(`${network}.0.1`, '0.0.0.0');
    await cloud.client.call('RegisterTaskDefinition', {
      family: 'witnessed',
      networkMode: 'bridge',
      containerDefinitions: [
        {
          name: 'main',
          image: images.busybox,
          // So that not all fit on fewer hosts than there may be.
          memory: Math.floor(shareOf(thisMachine(), mostHosts).memoryMib / tasksACall),
          command: [
            'sh',
            '-c',
            `say() { wget -q -O /dev/null ${tally.url}/$1/$HOSTNAME; }; say began && sleep 2 && say ended`,
          ],
        },
      ],
    });
  });

  afterEach(async () => {
    await tally?.[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
    await images?.[Symbol.asyncDispose]();
  });

  const hosts = async () => (await untilAnswered(() => cloud.client.call('GetHosts', { cluster: 'default' }))).hosts;

  const launched = () => readLiveHosts(cloudPaths(cloud).fleet);

  async function runTen(call: number): Promise<string[]> {
    const { tasks, failures } = await untilAnswered(() =>
      cloud.client.call('RunTask', { taskDefinition: 'witnessed', count: tasksACall, clientToken: `call-${call}` }),
    );
    expect(failures).toEqual([]);
    return tasks.map(({ taskArn }) => taskArn);
  }

  async function expectAllToEnd(tasks: readonly string[]): Promise<void> {
    const ended = await Promise.all(tasks.map((task) => untilAnswered(() => whenTask(cloud.client, 'stopped', task))));
    expect(ended.map(({ stopCode, containers }) => ({ stopCode, exitCode: containers[0]?.exitCode }))).toEqual(
      tasks.map(() => ({ stopCode: 'EssentialContainerExited', exitCode: 0 })),
    );
    expect(new Set(tasks).size).toBe(taskCount);
    expect(tally.began).toHaveLength(taskCount);
    expect(new Set(tally.began.map(({ name }) => name)).size).toBe(taskCount);
    expect(tally.mostAtOnce).toBeLessThanOrEqual(tasksACall);
  }

  /** While the cloud is still up: a fleet without hosts has nothing on the machine. */
  async function expectHostsToGo(): Promise<void> {
    while ((await hosts()).length > 0 || launched().length > 0) await delay(50);
    expect(leftoversOf(cloud)).toEqual([]);
    expect(readdirSync(join(cloud.dataDir, 'hosts'))).toEqual([]);
  }

  async function expectNothingAfterDown(): Promise<void> {
    const down = await cloud.gantry(['down', '--run-dir', cloud.runDir, '--purge']);
    expect(down.code, down.stderr).toBe(0);
    expect(leftoversOf(cloud)).toEqual([]);
    expect(existsSync(cloud.dataDir)).toBe(false);
  }

  it('brings hosts for the tasks that wait, and ends them after the last', async () => {
    expect(await hosts()).toEqual([]);
    expect(leftoversOf(cloud)).toEqual([]);
    const tasks = (await Promise.all(Array.from({ length: calls }, (_, call) => runTen(call)))).flat();
    const first = await cloud.client.call('GetTask', { cluster: 'default', task: tasks[0] ?? '' });
    expect(first.task.capacityProviderName).toBe('local');

    await expectAllToEnd(tasks);
    const used = new Set(tally.began.map(({ host }) => host)).size;
    expect(used).toBeGreaterThan(1);
    expect(used).toBeLessThanOrEqual(mostHosts);
    await expectHostsToGo();
    await expectNothingAfterDown();
  });

  it('loses and leaks nothing when the control plane is killed in the middle', async () => {
    const kill = () => killHard(join(cloud.runDir, 'server.pid'));
    const reached = async (holds: () => boolean) => {
      while (!holds()) await delay(10);
    };
    const tasks = await runTen(0);
    await kill();
    for (let call = 1; call < calls; call += 1) tasks.push(...(await runTen(call)));
    await kill();
    await reached(() => launched().length > 0);
    await kill();
    await reached(() => tally.began.length > 0);
    await kill();
    await reached(() => tally.began.length > taskCount / 2);
    await kill();
    await expectAllToEnd(tasks);
    await reached(() => launched().every(({ state }) => state === 'ending'));
    await kill();
    await expectHostsToGo();
    await expectNothingAfterDown();
  });

  async function runLong(): Promise<string> {
    const command = ['sh', '-c', 'trap "exit 7" TERM; sleep 3600 & wait'];
    const { tasks } = await cloud.client.call('RunTask', {
      taskDefinition: 'witnessed',
      overrides: { containerOverrides: [{ name: 'main', command }] },
    });
    const task = tasks[0]?.taskArn ?? '';
    await whenTask(cloud.client, 'running', task);
    return task;
  }

  it('keeps launched hosts and their tasks when it ends, and takes them up again, also with another fleet', async () => {
    const { client } = cloud;
    const task = await runLong();
    const before = await hosts();
    expect(before).toHaveLength(1);
    await endUp(cloud.supervisor);

    const other = await cloud.gantry(['up', '--run-dir', cloud.runDir, '--data', cloud.dataDir, '--hosts', '2']);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('Hosts that were brought up with --fleet are still here.');

    await cloud.upAgain(['--fleet', '0..2', '--fleet-idle-seconds', '1']);
    const view = await client.call('GetTask', { cluster: 'default', task });
    expect(view.task.lastStatus).toBe('RUNNING');
    while (!(await hosts())[0]?.agentConnected) await delay(50);
    expect((await hosts()).map(({ hostName }) => hostName)).toEqual(before.map(({ hostName }) => hostName));
    await client.call('StopTask', { cluster: 'default', task });
    expect((await whenTask(client, 'stopped', task)).containers[0]?.exitCode).toBe(7);
    await expectHostsToGo();
  });

  it('is taken down with hosts there, also after its supervisor was killed, and makes way for hosts that stay', async () => {
    const { client } = cloud;
    await endUp(cloud.supervisor);
    await cloud.upAgain(['--fleet', `0..${mostHosts}`, '--fleet-idle-seconds', '600']);
    const task = await runLong();
    const [fromFleet] = await hosts();
    cloud.supervisor.kill('SIGKILL');
    await once(cloud.supervisor, 'exit');
    expect((await hosts())[0]?.agentConnected).toBe(true); // The control plane has it, and runs on.
    const down = await cloud.gantry(['down', '--run-dir', cloud.runDir]);
    expect(down.code, down.stderr).toBe(0);
    expect(leftoversOf(cloud)).toEqual([]);
    expect(launched()).toHaveLength(1);

    await cloud.upAgain(['--hosts', '2']);
    expect((await whenTask(client, 'stopped', task)).containers[0]?.exitCode).toBe(7);
    expect(launched()).toEqual([]);
    expect(existsSync(cloudPaths(cloud).hostData(fromFleet?.hostName ?? ''))).toBe(false);
    const view = await client.call('GetTask', { cluster: 'default', task: await runLong() });
    expect(view.task.hostName).toMatch(/^host-[12]$/);
    while ((await hosts()).length > 2) await delay(50);
    expect((await hosts()).map(({ hostName }) => hostName).toSorted()).toEqual(['host-1', 'host-2']);
  });
});
