/** Hosts that were bought and are full of tasks, half of which may be replaced; and what becomes of them when their machines go. */
import { expect } from 'vitest';
import { getTasks } from '../../../control/store/tasks.ts';
import type { Task } from '../../../core/model/task.ts';
import { CapacitySim, type Process, type SimOptions } from './capacity-sim.ts';

export const statuses = async (sim: CapacitySim, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await sim.task(id)).lastStatus));

/** The ids of the tasks that these replace, one for each. */
export const replacedBy = (successors: readonly Task[]): string[] =>
  successors.flatMap(({ replaces }) => replaces ?? []).sort();

/** Every task that there is, or ever was. */
export async function allTasks(sim: CapacitySim): Promise<Task[]> {
  const { taskArns } = await sim.call('ListTasks', {});
  const stopped = await sim.call('ListTasks', { desiredStatus: 'STOPPED' });
  const ids = [...taskArns, ...stopped.taskArns].map((arn) => arn.split('/').at(-1) ?? '');
  return [...(await getTasks(sim.table, ids)).values()];
}

/** Hosts with two tasks each, that run: so many of each kind. */
export async function startBusy({
  jobs: jobCount,
  replaceable: replaceableCount,
  ...options
}: SimOptions & { readonly jobs: number; readonly replaceable: number }) {
  const sim = await CapacitySim.start(options);
  const loop = await sim.process({ fleet: sim.fleet });
  const jobs = await sim.runTasks(jobCount);
  const replaceable = replaceableCount === 0 ? [] : await sim.runTasks(replaceableCount, 'replaceable-job');
  await loop.run('buy-capacity');
  for (let round = 0; round < 3; round += 1) await sim.moveHosts();
  await loop.run('buy-capacity');
  expect(new Set(await statuses(sim, [...jobs, ...replaceable]))).toEqual(new Set(['RUNNING']));
  return { sim, loop, jobs, replaceable };
}

export async function settle(sim: CapacitySim, loop: Process, rounds = 4): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    sim.advance(2);
    await loop.run('drain-hosts', 'buy-capacity');
    await sim.moveHosts();
  }
}
