/**
 * Measures the pullers side by side: in each round every one pulls the image once, in an order drawn for the round, into a containerd that
 * has nothing of it. Each round of the sharing measures how much a registry serves to many tasks that wait for one image.
 */
import { type Random, shuffledIndexes } from '../../core/random.ts';
import { busyboxImage } from '../../local/images/busybox-image.ts';
import { whenTask } from '../../test/e2e/when-task.ts';
import { startCloud } from '../../test/support/cloud.ts';
import { startFakeRegistry } from '../../test/support/fake-registry.ts';
import type { Puller } from './stage.ts';

export interface RoundsOptions {
  readonly rounds: number;
  /** Not counted: caches fill, code is compiled. */
  readonly warmUps: number;
  readonly random: Random;
  readonly onRound: (done: number) => void;
  readonly signal: AbortSignal;
}

/** Milliseconds of each round, by the puller's name. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export async function measureRounds(pullers: readonly Puller[], options: RoundsOptions): Promise<Samples> {
  const samples = new Map<string, number[]>(pullers.map(({ name }) => [name, []]));
  for (let round = -options.warmUps; round < options.rounds; round += 1) {
    for (const index of shuffledIndexes(pullers.length, options.random)) {
      const puller = pullers[index];
      if (puller === undefined) continue;
      options.signal.throwIfAborted();
      const begun = performance.now();
      await puller.pull(options.signal);
      const took = performance.now() - begun;
      await puller.remove();
      if (round >= 0) samples.get(puller.name)?.push(took);
    }
    if (round >= 0) options.onRound(round + 1);
  }
  return samples;
}

export interface Sharing {
  readonly tasks: number;
  readonly imageBytes: number;
  /** Of blobs, by the registry. */
  readonly servedBytes: number;
}

/** So many tasks are asked for at once in a cloud that has never seen their image. */
export async function measureSharing(tasks: number): Promise<Sharing> {
  await using registry = await startFakeRegistry();
  const image = await busyboxImage();
  const reference = registry.publish(image, 'bench/shared');
  await using cloud = await startCloud();
  const { client } = cloud;
  const container = { name: 'main', image: reference, command: ['true'], cpu: 10, memory: 16 };
  await client.call('RegisterTaskDefinition', { family: 'shared', containerDefinitions: [container] });
  const run = await client.call('RunTask', { taskDefinition: 'shared', count: tasks });
  await Promise.all(run.tasks.map(({ taskArn }) => whenTask(client, 'stopped', taskArn)));
  const served = registry.requests
    .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    .map(({ path }) => registry.blob(path.slice(path.lastIndexOf('/') + 1)).length);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  return { tasks, imageBytes: sum(image.blobs.map(({ bytes }) => bytes.length)), servedBytes: sum(served) };
}
