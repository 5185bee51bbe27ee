/**
 * The control plane dies at every commit of a task's life, one after the other, before it is made or before it is answered. A second
 * process takes over the store, clients and hosts repeat what was not answered, and everything is as if nothing had happened.
 */
import { describe, expect, it } from 'vitest';
import type { Control } from '../../control/create.ts';
import { openRequests } from '../../control/store/requests.ts';
import { Death } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { idOf, startWorld, type World } from './support/world.ts';

const count = 32;

/** What clients and hosts do; each may be repeated. The world has one host, on which 26 of the tasks fit. */
class Story {
  readonly #world: World;
  readonly #host: ScriptedHost;
  control: Control;
  ids: string[] = [];

  constructor(world: World, host: ScriptedHost) {
    this.#world = world;
    this.#host = host;
    this.control = world.control;
  }

  readonly steps: (() => Promise<void>)[] = [
    async () => {
      const request = { taskDefinition: 'job', count, clientToken: 'once' };
      const { tasks } = await this.#world.call('RunTask', request, { control: this.control });
      this.ids = tasks.map(({ taskArn }) => idOf(taskArn));
    },
    () => this.#host.obey(),
    async () => {
      for (const id of [...this.#host.tasks.keys()].slice(0, 10)) {
        if (this.#host.tasks.get(id)?.observation.status === 'RUNNING') this.#host.end(id);
      }
    },
    async () => void (await this.#host.report()),
    async () => {
      for (const id of this.ids.slice(-5)) await this.#world.call('StopTask', { task: id }, { control: this.control });
    },
    () => this.#host.obey(),
  ];

  /** The address of the control plane leads to another process. */
  moveTo(control: Control): void {
    this.control = control;
    this.#host.control = control;
  }
}

/** Answers whether it came to the n-th commit. */
async function diesAt(commit: number, when: 'before' | 'after'): Promise<boolean> {
  const death = new Death(commit, when);
  await using world = await startWorld({ wrap: death.wrap });
  const host = await world.host({ memoryMib: 2600 });
  await world.register('job', { memory: 100 });
  const story = new Story(world, host);
  death.arm();
  for (const step of story.steps) {
    try {
      await step();
      await story.control.loops.idle();
    } catch (error) {
      if (!death.happened || story.control !== world.control) throw error;
    }
    if (!death.happened || story.control !== world.control) continue;
    story.moveTo(await world.another());
    await step();
  }
  death.disarm();
  await settle(world, story, host);
  expect(await breaches(world.table), `${when} commit ${commit}`).toEqual([]);
  const answer = await world.call('GetTasks', {}, { control: story.control });
  expect(answer.tasks.map(({ taskArn }) => idOf(taskArn)).sort()).toEqual([...story.ids].sort());
  expect(new Set(answer.tasks.map(({ lastStatus }) => lastStatus))).toEqual(new Set(['STOPPED']));
  expect([...host.started].sort()).toEqual([...new Set(host.started)].sort());
  expect(await openRequests(world.table)).toEqual([]);
  return death.happened;
}

/** Runs whatever is left to its end. */
async function settle(world: World, { control }: Story, host: ScriptedHost): Promise<void> {
  world.advance(10);
  await world.loop('finish-requests', control);
  await world.loop('place-pending', control);
  for (let round = 0; round < 3; round += 1) {
    await host.obey();
    for (const [id, { observation }] of host.tasks) if (observation.status !== 'STOPPED') host.end(id);
    await host.report();
    await control.loops.idle();
  }
}

describe('a control plane that dies', () => {
  it.each(['before', 'after'] as const)('%s any commit leaves nothing undone and nothing twice', async (when) => {
    let commit = 1;
    while (await diesAt(commit, when)) commit += 1;
    expect(commit).toBeGreaterThan(10);
  });

  it('between the chunks of a call that nobody repeats has promised all of its tasks', async () => {
    const death = new Death(2, 'before');
    await using world = await startWorld({ wrap: death.wrap });
    await world.host({ memoryMib: 40_000 });
    await world.register('job', { memory: 100 });
    death.arm();
    await expect(world.call('RunTask', { taskDefinition: 'job', count: 100 })).rejects.toThrow('the process is gone');
    const second = await world.another();
    const count = async (): Promise<number> => (await world.call('ListTasks', {}, { control: second })).taskArns.length;
    expect(await count()).toBe(24);
    await world.loop('finish-requests', second);
    expect(await count(), 'it may still be in the hands of its call').toBe(24);
    world.advance(10);
    await world.loop('finish-requests', second);
    expect(await count()).toBe(100);
    await world.loop('finish-requests', second);
    expect(await count()).toBe(100);
    expect(await breaches(world.table)).toEqual([]);
  });
});
