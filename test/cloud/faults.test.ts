/**
 * Everything that AWS may do to the functions, at once and seeded: throttling, conflicts, lost answers and a history that is behind;
 * stream batches that come twice and out of order; processes killed in the middle; cold starts; sockets that break. No acknowledged
 * task is lost, and none runs twice.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorTraits, GantryError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { type TaskView, whenTask } from '../e2e/when-task.ts';
import { noFaults, someFaults } from '../support/dynamodb-faults.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { eventually, patience } from './patience.ts';
import type { StreamRecord } from './stream/stream-reader.ts';
import { connected, startHost, type TestHost } from './test-host.ts';

const taskCount = 20;
const inFlight = 4;
const seed = 11;

describe('under faults', patience, () => {
  let cloud: AwsCloud;
  const hosts: TestHost[] = [];
  const random = seededRandom(seed);

  beforeEach(async () => {
    cloud = await startAwsCloud({ seed });
    for (const name of ['host-1', 'host-2']) hosts.push(await startHost(cloud, name, { speed: 10 }));
    for (const { name } of hosts) await connected(cloud, name);
    await cloud.client.call('RegisterTaskDefinition', {
      family: 'short',
      containerDefinitions: [{ name: 'main', image: 'busybox', memory: 900, command: fakeCommands.exits(5) }],
    });
  }, patience.timeout);

  afterEach(async () => {
    if (cloud !== undefined) cloud.world.faults.rates = noFaults;
    for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
  }, patience.timeout);

  it('loses no acknowledged task and runs none twice', async () => {
    cloud.world.faults.rates = someFaults;
    for (const name of ['wake', 'events'] as const)
      cloud.mapping(name).deliveries = (records) => [shuffledPartitions(records, random), records];
    const trouble = makeTrouble(cloud, random);
    const tasks = await runAll(cloud, trouble);
    expect(new Set(tasks).size).toBe(taskCount);

    const ended = await Promise.all(tasks.map((task) => untilAnswered(() => whenTask(cloud.client, 'stopped', task))));
    expect(ended.map(endOf)).toEqual(tasks.map(() => ({ exitCode: 5, stopCode: 'EssentialContainerExited' })));
    const starts = hosts.flatMap(({ machine }) => [...machine.starts]);
    expect(starts.map(([container]) => container.split('/')[0] ?? '').toSorted()).toEqual(tasks.map(idOf).toSorted());
    expect(starts.every(([, count]) => count === 1)).toBe(true);

    const { faults, identities } = cloud.world;
    for (const fault of ['throttling', 'conflicts', 'lostAnswers'] as const)
      expect(faults.counts[fault]).toBeGreaterThan(2);
    expect(identities.denials).toEqual([]);
    // The index of what has stopped is behind at times, by chance, and catches up.
    const stopped = async () => (await untilAnswered(() => listStopped(cloud))).toSorted();
    await eventually(async () => {
      await stopped();
      expect(faults.counts.staleHistory).toBeGreaterThan(0);
    });
    await eventually(async () => expect(await stopped()).toEqual(tasks.toSorted()));
    faults.rates = noFaults;
    await allFree(cloud);
  });
});

const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';
const endOf = ({ stopCode, containers }: TaskView) => ({ exitCode: containers[0]?.exitCode, stopCode });

const listStopped = async ({ client }: AwsCloud): Promise<string[]> =>
  (await client.call('ListTasks', { cluster: 'default', desiredStatus: 'STOPPED' })).taskArns;

/** What was reserved is free again, also where the release had to wait for a sweep. */
async function allFree(cloud: AwsCloud): Promise<void> {
  await cloud.sweep();
  await eventually(async () => {
    const { hosts } = await cloud.client.call('GetHosts', { cluster: 'default' });
    for (const { registeredResources, remainingResources } of hosts)
      expect(remainingResources).toEqual(registeredResources);
  });
}

/** After each acknowledged call, one of these, by chance. */
function makeTrouble(cloud: AwsCloud, random: () => number): () => Promise<void> {
  const [sockets] = cloud.world.webSocketApis.values();
  const troubles: (() => Promise<void>)[] = [
    () => cloud.killFunctions(),
    () => cloud.lambda('api').cool(),
    () => cloud.lambda('hosts').kill(),
    () => cloud.lambda('wake').kill(),
    async () => sockets?.dropAll(),
    () => cloud.sweep(),
    async () => {},
    async () => {},
    async () => {},
    async () => {},
  ];
  return () => troubles[Math.floor(random() * troubles.length)]?.() ?? Promise.resolve();
}

/** Acknowledged tasks. What is not answered is asked again with the same token, as clients do. */
async function runAll(cloud: AwsCloud, acknowledged: () => Promise<void>): Promise<string[]> {
  const tasks: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < taskCount) {
      const clientToken = `task-${next++}`;
      const {
        tasks: [task],
      } = await untilAnswered(() => cloud.client.call('RunTask', { taskDefinition: 'short', clientToken }));
      tasks.push(task?.taskArn ?? expect.fail());
      await acknowledged();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return tasks;
}

async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const away = error instanceof GantryError ? errorTraits[error.code].retryable : error instanceof TypeError;
      if (!away) throw error;
    }
  }
}

/** Another order of the partitions, the same order within each: as much as DynamoDB promises. */
function shuffledPartitions(records: readonly StreamRecord[], random: () => number): StreamRecord[] {
  const partitions = [...Map.groupBy(records, ({ dynamodb }) => dynamodb.Keys.pk?.S ?? '').values()];
  return partitions
    .map((partition) => ({ partition, at: random() }))
    .sort((a, b) => a.at - b.at)
    .flatMap(({ partition }) => partition);
}
