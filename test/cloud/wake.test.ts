/**
 * Wake-ups that are lost, sockets that are gone, and messages that come late: each costs time, as much as is stated, and nothing else.
 * A call gives its wake-ups half a second, which a busy machine may use up: what the store knows of connections does not depend on that.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../control/store/keys.ts';
import { whenTask } from '../e2e/when-task.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import type { WebSocketApi } from './gateway/web-socket-api.ts';
import { eventually, patience } from './patience.ts';
import { connected, startHost, type TestHost } from './test-host.ts';

/** The agent's waits pass this many times as fast: its heartbeat of 10 s comes each second. */
const speed = 10;

describe('waking hosts', patience, () => {
  let cloud: AwsCloud;
  let host: TestHost;
  let sockets: WebSocketApi;

  beforeAll(async () => {
    cloud = await startAwsCloud();
    sockets = [...cloud.world.webSocketApis.values()][0] ?? expect.fail();
    host = await startHost(cloud, 'host-1', { speed });
    await connected(cloud, 'host-1');
    await register('runs', fakeCommands.runsUntilStopped, 64);
    await register('fills', fakeCommands.runsUntilStopped, 3000);
    await register('fits-alone', fakeCommands.exits(0), 3000);
    await oneSocket();
  }, patience.timeout);

  afterEach(() => {
    sockets.losesFrames = false;
    sockets.beforeDisconnect = undefined;
    cloud.lambda('hosts').beforeInvoke = undefined;
  }, patience.timeout);

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
  }, patience.timeout);

  const register = (family: string, command: string[], memory: number) =>
    cloud.client.call('RegisterTaskDefinition', {
      family,
      containerDefinitions: [{ name: 'main', image: 'busybox', memory, command }],
    });

  const oneSocket = () => eventually(() => expect(sockets.connectionIds).toHaveLength(1));

  async function run(taskDefinition: string) {
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition });
    return tasks[0]?.taskArn ?? expect.fail();
  }

  /** Of the store. */
  async function connectionOfHost(): Promise<string | undefined> {
    const { host: seen } = await cloud.client.call('GetHost', { cluster: 'default', host: 'host-1' });
    const { pk, sk } = keys.hostConnection(seen.containerInstanceArn.split('/').at(-1) ?? '');
    const { GANTRY_TABLE: TableName } = cloud.lambda('api').config.environment;
    const Key = { pk: { S: pk }, sk: { S: sk } };
    const { Item } = await cloud.world.emulator('DynamoDB', 'GetItem', { TableName, Key, ConsistentRead: true });
    return Object(Item).data?.M.connectionId.S;
  }

  const stop = (task: string) => cloud.client.call('StopTask', { cluster: 'default', task });

  /** What the host asks of the control plane, from now on. */
  function requestsOfHost(): string[] {
    const requests: string[] = [];
    cloud.lambda('hosts').beforeInvoke = async (event) =>
      void requests.push(String(Object(event).rawPath).split('/').at(-1) ?? '');
    return requests;
  }

  /** With what the host asked since, and how much of that before RunTask's answer. Where the half second was too short, another is run. */
  async function runWoken() {
    for (;;) {
      const before = requestsOfHost();
      // Nothing of before is under way any more.
      await eventually(() => expect(before.slice(-2)).toEqual(['heartbeat', 'heartbeat']));
      const { posted } = sockets;
      const requests = requestsOfHost();
      const task = await run('runs');
      const asked = requests.length;
      expect(sockets.posted - posted).toBeLessThanOrEqual(1);
      if (sockets.posted > posted) return { task, requests, asked };
      await stop(task);
      await whenTask(cloud.client, 'stopped', task);
    }
  }

  it('costs at most one heartbeat where the frame is lost', async () => {
    sockets.losesFrames = true;
    const { task, requests, asked } = await runWoken();
    await whenTask(cloud.client, 'running', task);
    // The first heartbeat's answer says that there is something new; it may have come before RunTask's own.
    expect(requests.find((request) => request !== 'heartbeat')).toBe('desired');
    expect(requests.indexOf('desired') - asked).toBeLessThanOrEqual(1);
    await stop(task);
    await whenTask(cloud.client, 'stopped', task);
  });

  it('forgets a connection once it is told that it is gone, and reaches the host on its next one', async () => {
    const [ended, dialled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    sockets.beforeDisconnect = () => ended.promise;
    sockets.beforeConnect = () => dialled.promise;
    const before = sockets.gone;
    sockets.dropAll();
    const tasks = [await run('runs')];
    while ((await connectionOfHost()) !== undefined) tasks.push(await run('runs'));
    const { gone } = sockets;
    expect(gone).toBeGreaterThan(before);
    tasks.push(await run('runs'));
    // It does not try what an earlier one found gone.
    expect(sockets.gone).toBe(gone);
    sockets.beforeConnect = undefined;
    dialled.resolve();
    await oneSocket();
    ended.resolve();
    for (const task of tasks) {
      await whenTask(cloud.client, 'running', task);
      await stop(task);
      await whenTask(cloud.client, 'stopped', task);
    }
  });

  it('keeps the connection of a host whose former one is told of late', async () => {
    const released = Promise.withResolvers<void>();
    sockets.beforeDisconnect = () => released.promise;
    const [former] = sockets.connectionIds;
    sockets.dropAll();
    await eventually(() => expect(sockets.connectionIds).toEqual([expect.not.stringMatching(`^${former}$`)]));
    released.resolve();
    await sockets.settled();
    expect(await connectionOfHost()).toBe(sockets.connectionIds[0]);
    const { task } = await runWoken();
    await stop(task);
    await whenTask(cloud.client, 'stopped', task);
  });

  /** The host is full, and the task waits for room. */
  async function waiting() {
    const filler = await run('fills');
    await whenTask(cloud.client, 'running', filler);
    const task = await run('fits-alone');
    // The stream has told of its beginning to wait, in vain.
    await cloud.quiet();
    const { lastStatus } = (await cloud.client.call('GetTask', { cluster: 'default', task })).task;
    expect(lastStatus).toBe('PROVISIONING');
    return { filler, task };
  }

  it('places a task that waits as soon as there is room, by the stream', async () => {
    const { filler, task } = await waiting();
    await stop(filler);
    expect(await whenTask(cloud.client, 'stopped', task)).toMatchObject({ stopCode: 'EssentialContainerExited' });
  });

  it('places it with the next sweep where the stream does not', async () => {
    const mapping = cloud.mapping('wake');
    mapping.deliveries = () => [];
    const { filler, task } = await waiting();
    await stop(filler);
    await whenTask(cloud.client, 'stopped', filler);
    await cloud.quiet();
    expect((await cloud.client.call('GetTask', { cluster: 'default', task })).task.lastStatus).toBe('PROVISIONING');
    await cloud.sweep();
    expect(await whenTask(cloud.client, 'stopped', task)).toMatchObject({ stopCode: 'EssentialContainerExited' });
  });
});
