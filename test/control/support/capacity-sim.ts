/**
 * A cluster whose hosts are bought, moved step by step: a store, a fake fleet, agents moved by hand, a client that never dies and
 * processes with the loops that may. Nothing happens by itself and no time passes but the test's, so that a seed is a run.
 */

import { pino } from 'pino';
import type { ControlDeps } from '../../../control/deps.ts';
import type { Fleet } from '../../../control/fleet/fleet.ts';
import { createHostsApp } from '../../../control/hosts/routes.ts';
import { callOperation } from '../../../control/http/call.ts';
import { createJoinTokens } from '../../../control/keys/join-tokens.ts';
import { loops } from '../../../control/loops/index.ts';
import type { LoopName } from '../../../control/loops/loop.ts';
import { openDeps } from '../../../control/open.ts';
import { handlers } from '../../../control/operations/registry.ts';
import type { Table } from '../../../control/store/table.ts';
import { createTaskFeed } from '../../../control/task-feed.ts';
import type { Input, OperationName, Output } from '../../../core/api/operations.ts';
import { providerAttribute } from '../../../core/model/capacity.ts';
import { everyRight } from '../../../core/model/rights.ts';
import { type Random, seededRandom } from '../../../core/random.ts';
import { FakeFleet, type FakeFleetOptions, type FakeInstance, sizesOf } from './fake-fleet.ts';
import { ScriptedHost } from './scripted-host.ts';
import { idOf, type OpenedStore, openStore, type StoreKind } from './world.ts';

export type Limits = NonNullable<NonNullable<Input<'CreateCapacityProvider'>['gantry']>['limits']>;
export type Policy = NonNullable<NonNullable<Input<'CreateCapacityProvider'>['gantry']>['policy']>;

export interface SimOptions {
  readonly store?: StoreKind;
  readonly seed?: number;
  readonly fleet?: Omit<FakeFleetOptions, 'now' | 'random'>;
  readonly limits?: Limits;
  readonly policy?: Policy;
}

/** Something that runs loops, when it is told to. */
export interface Process {
  readonly deps: ControlDeps;
  /** Runs a loop, and whatever that asks for, to the end. */
  run(...names: LoopName[]): Promise<void>;
}

const cluster = 'default';
const principal = { arn: 'arn:aws:iam::000000000000:user/test', ...everyRight };

interface TestClock {
  now: number;
}

export class CapacitySim implements AsyncDisposable {
  readonly random: Random;
  readonly fleet: FakeFleet;
  readonly table: Table;
  /** Of instances that have joined, by instance. */
  readonly hosts = new Map<string, ScriptedHost>();
  /** What the control plane said, at level info and above. */
  readonly logged: { readonly level: number; readonly msg: string; readonly [member: string]: unknown }[] = [];
  readonly #store: AsyncDisposable;
  readonly #clock: TestClock;
  #client: Process | undefined;
  #token = '';

  private constructor({ seed = 1, fleet }: SimOptions, store: OpenedStore, clock: TestClock) {
    this.random = seededRandom(seed);
    this.#store = store;
    this.#clock = clock;
    this.table = store.table;
    this.fleet = new FakeFleet({ now: this.now, random: this.random, ...fleet });
  }

  /** A cluster with one capacity provider, `pool`, and the task definition `job` of one vCPU and 1 GiB, half a `small`. */
  static async start(options: SimOptions = {}): Promise<CapacitySim> {
    const clock = { now: Date.UTC(2100, 0, 1) };
    const sim = new CapacitySim(options, await openStore(options.store ?? 'sqlite', () => clock.now), clock);
    sim.#client = await sim.process({ fleet: undefined });
    sim.#token = await createJoinTokens(sim.client.deps).create({ cluster, reusable: true });
    const { limits, policy } = options;
    const gantry = { limits: { maxHosts: 10, ...limits }, policy: { joinSeconds: 300, idleSeconds: 60, ...policy } };
    await sim.call('CreateCapacityProvider', { name: 'pool', cluster, gantry });
    for (const family of ['job', 'replaceable-job'])
      await sim.call('RegisterTaskDefinition', {
        family,
        containerDefinitions: [{ name: 'app', image: 'busybox', cpu: 1024, memory: 1024 }],
        ...(family === 'job' ? {} : { tags: [{ key: 'gantry:replaceable', value: 'true' }] }),
      });
    return sim;
  }

  /** The API and the hosts' routes, as a process of their own that never dies; buys nothing. */
  get client(): Process {
    if (this.#client === undefined) throw new Error('the simulation has not started');
    return this.#client;
  }

  readonly now = (): number => this.#clock.now;

  advance(seconds: number): void {
    this.#clock.now += seconds * 1000;
  }

  async process({ table = this.table, fleet }: { table?: Table; fleet: Fleet | undefined }): Promise<Process> {
    const asked = new Set<LoopName>();
    const log = pino({ level: 'info' }, { write: (line: string) => this.logged.push(JSON.parse(line)) });
    const deps = await openDeps(
      {
        table,
        log,
        fleet,
        clock: { now: this.now },
        random: this.random,
        newId: () => Array.from({ length: 32 }, () => Math.floor(this.random() * 16).toString(16)).join(''),
        sleep: async () => {},
        settings: { heartbeatSeconds: 30 },
      },
      {
        wake: { hosts: async () => {} },
        feed: createTaskFeed(),
        logs: { open: () => raise('no logs here') },
        hostImages: { images: () => raise('no images here') },
        hostStats: { stats: () => raise('no statistics here') },
        activate: (name) => asked.add(name),
        metrics: { count: () => {} },
        journal: { isKept: false, settleMs: 0, nextId: () => raise('no events here') },
      },
    );
    const run = async (...names: LoopName[]): Promise<void> => {
      for (const name of names) asked.add(name);
      for (let round = 0; asked.size > 0; round += 1) {
        if (round === 100) raise(`${[...asked].join(', ')} do not come to rest`);
        const [name] = asked;
        const loop = loops.find((candidate) => candidate.name === name);
        if (name !== undefined) asked.delete(name);
        if (loop?.scope === 'cluster') await loop.activate(deps, cluster);
        if (loop?.scope === 'store') await loop.activate(deps);
      }
    };
    return { deps, run };
  }

  async call<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>> {
    const context = { deps: this.client.deps, principal, requestId: 'request' };
    return (await callOperation(name, handlers, context, input)) as Output<Name>;
  }

  async runTasks(count: number, family = 'job', members: Partial<Input<'RunTask'>> = {}): Promise<string[]> {
    const placementTimeoutSeconds = 604_800;
    const request = { taskDefinition: family, count, placementTimeoutSeconds, ...members };
    return (await this.call('RunTask', request)).tasks.map(({ taskArn }) => idOf(taskArn));
  }

  async task(id: string): Promise<Output<'GetTask'>['task']> {
    return (await this.call('GetTask', { task: id })).task;
  }

  /** Machines that have booted join; those that are gone are silent; the others do what is asked of them. */
  async moveHosts(): Promise<void> {
    for (const instance of this.fleet.booted) if (!this.hosts.has(instance.instanceId)) await this.#join(instance);
    for (const [instanceId, host] of this.hosts) {
      if (!this.isThere(instanceId)) continue;
      // As an agent does: what it would fetch or report is nothing, most of the time.
      if ((await host.heartbeat()) !== host.etag || host.hasNews) await host.obey();
    }
    await this.client.run('place-pending');
  }

  isThere(instanceId: string): boolean {
    return this.fleet.instances.get(instanceId)?.endedAt === undefined;
  }

  async #join({ instanceId, offer, zone, orderId }: FakeInstance): Promise<void> {
    const { cpuUnits, memoryMib } = sizesOf(offer);
    const provider = this.fleet.asked.find(({ id }) => id === orderId)?.provider ?? 'pool';
    const attributes = {
      [providerAttribute]: provider,
      'ecs.availability-zone': zone,
      'ecs.cpu-architecture': 'x86_64',
    };
    const host = new ScriptedHost(
      { deps: this.client.deps, hostsApp: createHostsApp(this.client.deps) },
      { name: instanceId, cpuUnits, memoryMib, attributes },
    );
    await host.join(this.#token);
    this.hosts.set(instanceId, host);
  }

  /** Ends these tasks by themselves, wherever they run. */
  async finish(ids: readonly string[]): Promise<void> {
    for (const [instanceId, host] of this.hosts) {
      if (!this.isThere(instanceId)) continue;
      const own = ids.filter((id) => host.tasks.get(id)?.observation.status === 'RUNNING');
      for (const id of own) host.end(id);
      if (own.length > 0) await host.report();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.table.close();
    await this.#store[Symbol.asyncDispose]();
  }
}

function raise(message: string): never {
  throw new Error(message);
}
