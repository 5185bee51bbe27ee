/** Stories of two calls at once, told in every order on two control planes over one store (interleave.ts). */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Control } from '../../../control/create.ts';
import { everyOrder, Held, interleaved, type Strides } from './interleave.ts';
import { breaches } from './invariants.ts';
import type { HostOptions, ScriptedHost } from './scripted-host.ts';
import { type StoreKind, startWorld, type World } from './world.ts';

/**
 * On DynamoDB an access costs milliseconds, so there the one call is held before its commits only, while the other is made, and only the
 * first stories are told: what a commit means is the same on both stores (test/store/conformance), and all depends on that alone.
 */
export const stores: readonly (readonly [store: StoreKind, strides: Strides])[] = [
  ['sqlite', { first: 1, second: 8 }],
  ['dynamodb', { first: 1, second: Infinity }],
];

export interface Race {
  readonly world: World;
  /** A cluster of this story's own. */
  readonly cluster: string;
  /** How the call ended: `done`, or the error's code. */
  readonly ended: readonly [string, string];
  readonly answers: readonly [unknown, unknown];
}

type Call = (control: Control, cluster: string) => Promise<unknown>;

export interface Story<Given> {
  /** Makes what both calls are about. */
  readonly given: (world: World, cluster: string) => Promise<Given>;
  readonly calls: (given: Given, world: World) => readonly [Call, Call];
  readonly holds: (race: Race, given: Given) => Promise<void>;
}

export class Races implements AsyncDisposable {
  readonly world: World;
  readonly #strides: Strides;
  readonly #held: readonly [Held, Held];
  readonly #controls: readonly [Control, Control];
  #stories = 0;

  private constructor(
    world: World,
    strides: Strides,
    held: readonly [Held, Held],
    controls: readonly [Control, Control],
  ) {
    this.world = world;
    this.#strides = strides;
    this.#held = held;
    this.#controls = controls;
  }

  static async start(store: StoreKind, strides: Strides): Promise<Races> {
    const world = await startWorld({ store, sleep: () => new Promise(setImmediate) });
    await world.register('job', { memory: 100 });
    const before = store === 'sqlite' ? 'accesses' : 'commits';
    const held = [new Held(before), new Held(before)] as const;
    const controls = [await world.another(held[0].wrap), await world.another(held[1].wrap)] as const;
    return new Races(world, strides, held, controls);
  }

  /** Told with each of the two calls as the first. Answers how often the calls ended how. */
  async tell<Given>(story: Story<Given>, strides = this.#strides): Promise<ReadonlyMap<string, number>> {
    const outcomes = new Map<string, number>();
    for (const swapped of [false, true]) {
      const orders = await everyOrder(async (order) => {
        this.#stories += 1;
        const cluster = `c${this.#stories}`;
        this.world.advance(2);
        await this.world.call('CreateCluster', { clusterName: cluster });
        const given = await story.given(this.world, cluster);
        const calls = story.calls(given, this.world).map((call, index) => ({
          held: index === 0 ? this.#held[0] : this.#held[1],
          call: () => call(this.#controls[index] ?? this.world.control, cluster),
        }));
        const [one, two] = calls;
        if (one === undefined || two === undefined) throw new Error('a story has two calls');
        const began = await (swapped ? interleaved(two, one, order) : interleaved(one, two, order));
        for (const { loops } of [...this.#controls, this.world.control]) await loops.idle();
        const results = await Promise.all(swapped ? [began[1].ended, began[0].ended] : began.map(({ ended }) => ended));
        const [a, b] = results;
        const ended = [endOf(a), endOf(b)] as const;
        const told = `${ended[0]} / ${ended[1]}`;
        outcomes.set(told, (outcomes.get(told) ?? 0) + 1);
        const race = { world: this.world, cluster, ended, answers: [answerOf(a), answerOf(b)] as const };
        const where = `${told}, ${swapped ? 'second' : 'first'} first, held before ${order.first} and ${order.second}`;
        try {
          await story.holds(race, given);
          expect(await breaches(this.world.table, cluster)).toEqual([]);
        } catch (error) {
          throw new Error(where, { cause: error });
        }
        return began;
      }, strides);
      expect(orders).toBeGreaterThan(1);
    }
    return outcomes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

function endOf(result: PromiseSettledResult<unknown> | undefined): string {
  if (result?.status === 'fulfilled') return 'done';
  const { code, message } = Object(result?.reason);
  return String(code ?? message);
}

const answerOf = (result: PromiseSettledResult<unknown> | undefined): unknown =>
  result?.status === 'fulfilled' ? result.value : undefined;

/** A host of the story's own cluster. */
export async function hostIn(world: World, cluster: string, options: HostOptions = {}): Promise<ScriptedHost> {
  const token = await world.control.joinTokens.create({ cluster, reusable: true });
  return world.host({ cluster, name: cluster, token, memoryMib: 1000, ...options });
}

/** Where nothing runs, everything of the host is free. */
export async function isIdle(world: World, cluster: string): Promise<boolean> {
  const [host] = (await world.call('GetHosts', { cluster })).hosts;
  return isDeepStrictEqual(host?.remainingResources, host?.registeredResources);
}
