/** The table's stream under accidents: a record that nobody can read, and batches that come again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whenTask } from '../e2e/when-task.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { eventually, patience } from './patience.ts';
import { shardOf } from './stream/stream-reader.ts';
import { connected, startHost, type TestHost } from './test-host.ts';

describe('the stream', patience, () => {
  let cloud: AwsCloud;
  let host: TestHost;

  beforeAll(async () => {
    cloud = await startAwsCloud();
    host = await startHost(cloud, 'host-1', { speed: 10 });
    await connected(cloud, 'host-1');
    const definitions = { ends: fakeCommands.exits(0), stays: fakeCommands.runsUntilStopped };
    for (const [family, command] of Object.entries(definitions))
      await cloud.client.call('RegisterTaskDefinition', {
        family,
        containerDefinitions: [{ name: 'main', image: 'busybox', memory: 128, command }],
      });
  }, patience.timeout);

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
  }, patience.timeout);

  async function runOne(): Promise<string> {
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'ends' });
    const task = tasks[0]?.taskArn ?? expect.fail();
    expect(await whenTask(cloud.client, 'stopped', task)).toMatchObject({ containers: [{ exitCode: 0 }] });
    return task;
  }

  const eventsOf = (task: string) =>
    cloud.world.buses.events.filter(({ resources }) => resources.includes(task)).map(({ detail }) => detail.lastStatus);

  /** In another shard than the task: behind a record that fails, its own shard waits. */
  function partitionBeside(task: string): string {
    const partitions = Array.from({ length: 16 }, (_, digit) => `task#${digit.toString(16).repeat(32)}`);
    return partitions.find((one) => shardOf(one) !== shardOf(`task#${task.split('/').at(-1)}`)) ?? expect.fail();
  }

  it('leaves a record that cannot be read in the dead-letter queue after an hour, and goes on with other shards', async () => {
    const { client, world } = cloud;
    const mapping = cloud.mapping('events');
    const { tasks } = await client.call('RunTask', { taskDefinition: 'stays' });
    const task = tasks[0]?.taskArn ?? expect.fail();
    await whenTask(client, 'running', task);
    const TableName = cloud.lambda('events').config.environment.GANTRY_TABLE;
    const Item = { pk: { S: partitionBeside(task) }, sk: { S: 'task' }, data: { S: 'not as it should be' } };
    await world.emulator('DynamoDB', 'PutItem', { TableName, Item });
    await eventually(() => expect(cloud.lambda('events').output.join('')).toContain('cannot be read'));
    await client.call('StopTask', { cluster: 'default', task });
    await eventually(() => expect(eventsOf(task).at(-1)).toBe('STOPPED'));
    const dead = () => [...world.queues.values()].flat();
    expect(dead()).toEqual([]);

    mapping.now = () => Date.now() + 3_601_000;
    const givenUp = { requestContext: { condition: 'RecordAgeExceeded' }, DDBStreamBatchInfo: { batchSize: 1 } };
    await eventually(() => expect(dead()).toMatchObject([givenUp]));
    await eventually(() => expect(mapping.isIdle).toBe(true));
    mapping.now = () => Date.now();
  });

  it('tells the same of a task whose records come twice, and ends with its last state', async () => {
    cloud.mapping('events').deliveries = (records) => [records, records];
    cloud.mapping('wake').deliveries = (records) => [records, records];
    const starts = host.machine.starts.size;
    const task = await runOne();
    await eventually(() => expect(eventsOf(task).at(-1)).toBe('STOPPED'));
    expect(host.machine.starts.size).toBe(starts + 1);
    expect(Math.max(...host.machine.starts.values())).toBe(1);
  });
});
