/**
 * Hosts that follow the tasks, from none at all: tasks wait, hosts come for them, all run, and the hosts go again, although the
 * control plane is killed again and again meanwhile, and where a host is taken back. A witness outside of the cloud says which containers really
 * ran, and where.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { type FleetCloud, fleetPlatforms, type Moment } from './fleets.ts';
import { startTally, type Tally } from './tally.ts';
import { untilAnswered } from './until-answered.ts';
import { type TaskView, whenTask } from './when-task.ts';

const mostHosts = 5;
const calls = 5;
const tasksACall = 10;
const taskCount = calls * tasksACall;

for (const platform of fleetPlatforms) {
  describeWithContainers(`hosts that follow the tasks on ${platform.name}`, () => {
    let images: TestImages;
    let cloud: FleetCloud;
    let tally: Tally;
    /** Of the test's calls. */
    let token: string;

    beforeAll(async () => {
      images = await startTestImages();
      cloud = await platform.start(mostHosts);
    });

    beforeEach(async () => {
      tally = await startTally(`${cloud.network}.0.1`, '0.0.0.0');
      token = randomUUID();
    });

    afterEach(() => tally?.[Symbol.asyncDispose]());

    afterAll(async () => {
      await cloud?.[Symbol.asyncDispose]();
      await images?.[Symbol.asyncDispose]();
    });

    const call: FleetCloud['client']['call'] = (name, input) => untilAnswered(() => cloud.client.call(name, input));

    const hosts = async () => (await call('GetHosts', { cluster: 'default' })).hosts;

    /** What the container does between its two words to the witness is `work`. */
    const register = (family: string, work: string, tags: readonly { key: string; value: string }[] = []) =>
      call('RegisterTaskDefinition', {
        family,
        networkMode: 'bridge',
        tags: [...tags],
        containerDefinitions: [
          {
            name: 'main',
            image: images.busybox,
            // So that not all fit on fewer hosts than there may be.
            memory: Math.floor(cloud.hostMemoryMib / tasksACall),
            command: [
              'sh',
              '-c',
              `say() { wget -q -O /dev/null ${tally.url}/$1/$HOSTNAME; }; say began && ${work} && say ended`,
            ],
          },
        ],
      });

    async function runTen(number: number): Promise<string[]> {
      const tokenOfCall = { clientToken: `${token}-${number}` };
      const { tasks, failures } = await call('RunTask', {
        taskDefinition: 'witnessed',
        count: tasksACall,
        ...tokenOfCall,
      });
      expect(failures).toEqual([]);
      return tasks.map(({ taskArn }) => taskArn);
    }

    async function expectAllToEnd(tasks: readonly string[]): Promise<void> {
      const ended: TaskView[] = [];
      for (const task of tasks) ended.push(await untilAnswered(() => whenTask(cloud.client, 'stopped', task)));
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
      while ((await hosts()).length > 0 || cloud.launched().length > 0) await delay(50);
      expect(leftoversOf(cloud)).toEqual([]);
      expect(readdirSync(join(cloud.dataDir, 'hosts'))).toEqual([]);
      cloud.expectInOrder();
    }

    async function reached(holds: () => boolean): Promise<void> {
      while (!holds()) await delay(10);
    }

    it('come for the tasks that wait and end after the last, though the control plane is killed in the middle', async () => {
      await register('witnessed', 'sleep 2');
      const killAt = async (moment: Moment) => {
        if (platform.killedAt.includes(moment)) await cloud.killControlPlane();
      };
      expect(await hosts()).toEqual([]);
      expect(leftoversOf(cloud)).toEqual([]);
      const tasks = await runTen(0);
      const first = await call('GetTask', { cluster: 'default', task: tasks[0] ?? '' });
      expect(first.task.capacityProviderName).toBe(cloud.provider);
      await killAt('one call');
      for (let number = 1; number < calls; number += 1) tasks.push(...(await runTen(number)));
      await killAt('all calls');
      await reached(() => cloud.launched().length > 0);
      await killAt('hosts launched');
      await reached(() => tally.began.length > 0);
      await killAt('first task');
      await reached(() => tally.began.length > taskCount / 2);
      await killAt('half of the tasks');
      expect(await runTen(0)).toEqual(tasks.slice(0, tasksACall));
      await expectAllToEnd(tasks);
      const used = new Set(tally.began.map(({ host }) => host)).size;
      expect(used).toBeGreaterThan(1);
      expect(used).toBeLessThanOrEqual(mostHosts);
      await reached(() => cloud.launched().every(({ isEnding }) => isEnding));
      await killAt('hosts ending');
      await expectHostsToGo();
    });

    if (platform.sellsSpot)
      it('are left in time when they are taken back: by one successor of what may be replaced, and by nothing else', async () => {
        const untilStopped = 'trap "exit 0" TERM && { sleep 3600 & wait; }';
        await register('job', untilStopped);
        await register('web', untilStopped, [{ key: 'gantry:replaceable', value: 'true' }]);
        const run = async (taskDefinition: string, count: number): Promise<TaskView[]> => {
          const { tasks } = await call('RunTask', { taskDefinition, count });
          return Promise.all(tasks.map(({ taskArn }) => whenTask(cloud.client, 'running', taskArn)));
        };
        const [[job], webs] = await Promise.all([run('job', 1), run('web', 3)]);
        const [{ hostName: host = '' } = {}] = webs;
        expect([job, ...webs].map((task) => task?.hostName)).toEqual([host, host, host, host]);
        const view = async (task = '') => (await call('GetTask', { cluster: 'default', task })).task;

        const goesAt = cloud.interrupt?.(host) ?? expect.fail('it sells spot');
        for (const { taskArn } of webs) {
          const { replacedByTaskArn } = await whenTask(cloud.client, 'stopped', taskArn);
          expect(await view(replacedByTaskArn)).toMatchObject({ lastStatus: 'RUNNING', replacesTaskArn: taskArn });
          expect((await view(replacedByTaskArn)).hostName).not.toBe(host);
        }
        expect((await call('ListTasks', { family: 'web' })).taskArns).toHaveLength(webs.length);
        expect(tally.began).toHaveLength(1 + 2 * webs.length);
        const left = await view(job?.taskArn);
        expect(left).toMatchObject({ lastStatus: 'RUNNING', desiredStatus: 'RUNNING' });
        expect(left.hostGoes?.stopsAt?.getTime()).toBeGreaterThan(Date.now());
        expect(left.hostGoes?.stopsAt?.getTime()).toBeLessThan(goesAt);

        const { taskArns } = await call('ListTasks', { cluster: 'default' });
        for (const task of taskArns) await call('StopTask', { cluster: 'default', task });
        await expectHostsToGo();
      });

    it('leave nothing behind when the cloud is taken down', async () => {
      await cloud[Symbol.asyncDispose]();
      expect(leftoversOf(cloud)).toEqual([]);
      expect(existsSync(cloud.dataDir)).toBe(false);
    });
  });
}
