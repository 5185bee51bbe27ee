/**
 * Clients, hosts and loops at once, on two control planes over one store: whatever happens in whatever order, no host is ever
 * over-committed, nothing is given back twice, and the listings say what the tasks say.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Control } from '../../control/create.ts';
import { taskArn } from '../../core/arn.ts';
import { breaches } from './support/invariants.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { idOf, startWorld, type World } from './support/world.ts';

type Deed =
  | {
      readonly kind: 'run';
      readonly family: string;
      readonly count: number;
      readonly waits: boolean;
      readonly distinct: boolean;
    }
  | { readonly kind: 'again'; readonly token: number }
  | { readonly kind: 'stop' | 'tag'; readonly which: number }
  | { readonly kind: 'drain' | 'activate'; readonly host: number }
  | { readonly kind: 'obey' | 'end' | 'repeat'; readonly host: number; readonly which: number }
  | { readonly kind: 'place' | 'join' };

const families = {
  small: { cpu: 100, memory: 100 },
  large: { cpu: 100, memory: 700 },
  web: { memory: 50, hostPort: 80 },
};

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      family: fc.constantFrom(...Object.keys(families)),
      count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 20, max: 30 })),
      waits: fc.boolean(),
      distinct: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), token: fc.nat(1) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('stop' as const, 'stop' as const, 'tag' as const),
      which: fc.nat(1000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('drain' as const, 'activate' as const), host: fc.nat(2) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('obey' as const, 'end' as const, 'repeat' as const),
      host: fc.nat(2),
      which: fc.nat(1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('place' as const, 'join' as const) }) },
);

/** Everything in a wave is begun at once. */
const waves = fc.array(fc.array(deed, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });

class Cloud {
  readonly #world: World;
  readonly #controls: readonly Control[];
  readonly hosts: ScriptedHost[];
  readonly ids: string[] = [];
  /** By client token: what its first call was answered. */
  readonly #made = new Map<number, string[]>();
  #turn = 0;
  #joined = 0;

  constructor(world: World, controls: readonly Control[], hosts: ScriptedHost[]) {
    this.#world = world;
    this.#controls = controls;
    this.hosts = hosts;
  }

  /** One after the other, as a load balancer does it. */
  #control(): Control {
    this.#turn += 1;
    return this.#controls[this.#turn % this.#controls.length] ?? this.#world.control;
  }

  async do(deed: Deed): Promise<void> {
    const control = this.#control();
    switch (deed.kind) {
      case 'run':
        return this.#run(deed, control);
      case 'stop': {
        const id = this.ids[deed.which % Math.max(1, this.ids.length)];
        if (id !== undefined) await this.#world.call('StopTask', { task: id }, { control });
        return;
      }
      case 'again':
        return this.#again(deed.token, control);
      case 'tag':
        return this.#tag(deed.which, control);
      case 'drain':
      case 'activate': {
        const status = deed.kind === 'drain' ? 'DRAINING' : 'ACTIVE';
        const containerInstances = [this.hosts[deed.host]?.hostId ?? 'nowhere'];
        await this.#world.call('UpdateContainerInstancesState', { containerInstances, status }, { control });
        return;
      }
      case 'place':
        return control.loops.activate('place-pending');
      case 'join':
        this.#joined += 1;
        this.hosts.push(await this.#world.host({ name: `late-${this.#joined}`, cpuUnits: 1000, memoryMib: 1000 }));
        return;
      case 'obey':
      case 'end':
      case 'repeat': {
        const host = this.hosts[deed.host];
        if (host === undefined) return;
        host.control = control;
        if (deed.kind === 'obey') return host.obey();
        const id = [...host.tasks.keys()][deed.which % Math.max(1, host.tasks.size)];
        if (deed.kind === 'end' && id !== undefined && host.tasks.get(id)?.observation.status !== 'STOPPED')
          host.end(id);
        await host.report({ full: deed.kind === 'repeat' });
      }
    }
  }

  async #run(deed: Extract<Deed, { kind: 'run' }>, control: Control): Promise<void> {
    const request = {
      taskDefinition: deed.family,
      count: deed.count,
      ...(deed.waits ? {} : { launchType: 'EC2' }),
      // A task that does not care may join one that does: a group of its own, so that all of it care.
      ...(deed.distinct ? { group: 'apart', placementConstraints: [{ type: 'distinctInstance' }] } : {}),
    };
    const { tasks, failures } = await this.#world.call('RunTask', request, { control });
    expect(tasks.length + failures.length).toBe(deed.count);
    if (deed.waits) expect(failures).toEqual([]);
    this.ids.push(...tasks.map(({ taskArn }) => idOf(taskArn)));
  }

  /** However often and through whichever process: one set of tasks. */
  async #again(token: number, control: Control): Promise<void> {
    const request = { taskDefinition: 'small', count: 3, clientToken: `token-${token}` };
    const { tasks } = await this.#world.call('RunTask', request, { control });
    const made = tasks.map(({ taskArn }) => idOf(taskArn));
    expect(made).toEqual(this.#made.get(token) ?? made);
    if (!this.#made.has(token)) this.ids.push(...made);
    this.#made.set(token, made);
  }

  async #tag(which: number, control: Control): Promise<void> {
    const id = this.ids[which % Math.max(1, this.ids.length)];
    if (id === undefined) return;
    const request = { resourceArn: taskArn(control.deps.realm, 'default', id), tags: [{ key: `tag-${which}` }] };
    const tagged = this.#world.call('TagResource', request, { control });
    // Of one that has stopped meanwhile.
    await tagged.catch((error: unknown) => expect(error).toMatchObject({ code: 'InvalidParameterException' }));
  }

  async quiet(): Promise<void> {
    for (const { loops } of this.#controls) await loops.idle();
  }
}

describe('whatever happens at once', () => {
  it('nothing is over-committed, given back twice or forgotten', async () => {
    const story = async (told: readonly (readonly Deed[])[]): Promise<void> => {
      await using world = await startWorld();
      for (const [family, sizes] of Object.entries(families)) await world.register(family, sizes);
      const hosts = [await world.host({ name: 'host-1', cpuUnits: 1000, memoryMib: 1000 })];
      const cloud = new Cloud(world, [world.control, await world.another()], hosts);
      for (const wave of told) {
        await Promise.all(wave.map((each) => cloud.do(each)));
        await cloud.quiet();
        expect(await breaches(world.table)).toEqual([]);
      }
      for (const id of cloud.ids) await world.call('StopTask', { task: id });
      for (const host of cloud.hosts) {
        await host.obey();
        await host.obey();
        expect(host.tasks.size).toBe(0);
      }
      expect(await breaches(world.table)).toEqual([]);
      for (const { remainingResources, registeredResources } of (await world.call('GetHosts', {})).hosts) {
        expect(remainingResources).toEqual(registeredResources);
      }
      expect(world.logged).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(waves, story), { numRuns: 30, seed: 7 });
  });
});
