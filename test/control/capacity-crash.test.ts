/**
 * Two hundred clusters over a fleet with faults, whose loops die at random points and are gone for a while. Whatever happens, no machine
 * is left that nobody knows, no task is lost, and the limit of hosts is overrun only by what nobody could know of.
 */
import { describe, expect, it } from 'vitest';
import { openPurchases } from '../../control/store/purchases.ts';
import type { Purchase } from '../../core/model/capacity.ts';
import { CapacitySim, type Process } from './support/capacity-sim.ts';
import type { FleetFaults } from './support/fake-fleet.ts';
import { ProcessGone } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { Mortal } from './support/mortal.ts';

const minutes = 60_000;
/** As often as hosts send heartbeats. */
const tickSeconds = 30;
const maxHosts = 6;
const faults: FleetFaults = {
  noCapacity: 0.1,
  limit: 0.05,
  throttled: 0.1,
  rejectsBefore: 0.2,
  rejectsAfter: 0.2,
  endsNothing: 0.05,
  offersNothing: 0.05,
  neverJoins: 0.25,
};

class Run {
  readonly sim: CapacitySim;
  /** When each task ends that runs. */
  readonly endings = new Map<string, number>();
  readonly tasks: string[] = [];
  /** Instances that were taken away without a word. */
  readonly lost = new Set<string>();
  deaths = 0;
  /** The most machines that there were at once. */
  peak = 0;
  #process: Process | undefined;
  #mortal: Mortal | undefined;
  #restartAt = 0;

  constructor(sim: CapacitySim) {
    this.sim = sim;
  }

  async tick(phase: 'busy' | 'calm', seconds = tickSeconds): Promise<void> {
    const { sim } = this;
    if (phase === 'busy' && sim.random() < 0.3) await this.#submit();
    if (phase === 'busy' && sim.random() < 0.02) this.#loseMachine();
    await sim.moveHosts();
    await this.#finishTasks();
    await this.#runLoops(phase === 'busy');
    this.peak = Math.max(this.peak, sim.fleet.living.length);
    await this.#checkLeaks();
    sim.advance(seconds);
  }

  #loseMachine(): void {
    const { fleet, random } = this.sim;
    const lost = fleet.living[Math.floor(random() * fleet.living.length)];
    if (lost === undefined) return;
    fleet.vanish(lost.instanceId);
    this.lost.add(lost.instanceId);
  }

  async #submit(): Promise<void> {
    const { random } = this.sim;
    const family = random() < 0.3 ? 'replaceable-job' : 'job';
    const ids = await this.sim.runTasks(1 + Math.floor(random() * 4), family);
    this.tasks.push(...ids);
  }

  async #finishTasks(): Promise<void> {
    const { now, random, hosts } = this.sim;
    // Also successors, which nobody has asked for.
    for (const host of hosts.values())
      for (const id of host.tasks.keys())
        if (!this.endings.has(id)) this.endings.set(id, now() + random() * 8 * minutes);
    const due = [...this.endings].filter(([, at]) => at <= this.sim.now()).map(([id]) => id);
    await this.sim.finish(due);
  }

  async #runLoops(mayDie: boolean): Promise<void> {
    const { sim } = this;
    if (sim.now() < this.#restartAt) return;
    if (this.#process === undefined) await this.#start(mayDie);
    try {
      await this.#process?.run('mark-silent', 'drain-hosts', 'buy-capacity', 'bury-hosts');
    } catch (error) {
      if (!(error instanceof ProcessGone)) throw error;
      this.deaths += 1;
      this.#process = undefined;
      // Mostly another takes over; at times there is none for long enough that everybody forgets.
      this.#restartAt = sim.now() + (sim.random() < 0.25 ? 6 + sim.random() * 9 : 0) * minutes;
    }
  }

  async #start(mayDie: boolean): Promise<void> {
    const { sim } = this;
    const acts = mayDie ? 1 + Math.floor(sim.random() * 12) : Infinity;
    this.#mortal = new Mortal(acts, sim.random() < 0.5 ? 'before' : 'after');
    const table = this.#mortal.table(sim.table);
    this.#process = await sim.process({ table, fleet: this.#mortal.fleet(sim.fleet) }).catch((error: unknown) => {
      if (!(error instanceof ProcessGone)) throw error;
      return undefined;
    });
  }

  /** The next process to run is one that lives. */
  calm(): void {
    this.#process = undefined;
    this.#restartAt = 0;
    this.sim.fleet.faults = {};
  }

  /** Ten minutes until it is sure, one until it is looked for, and as long as there is nobody to look. */
  async #checkLeaks(): Promise<void> {
    const { sim } = this;
    if (sim.now() < this.#restartAt + 3 * minutes) return;
    const known = namesOf(await openPurchases(sim.table, 'default'));
    const leaked = sim.fleet.living.filter(
      ({ instanceId, orderId, launchedAt }) =>
        !known.has(instanceId) && !known.has(orderId) && sim.now() - launchedAt > 16 * minutes,
    );
    expect(leaked).toEqual([]);
  }
}

/** Instances that are bought, and orders that may become some. */
const namesOf = (purchases: readonly Purchase[]): Set<string> =>
  new Set([
    ...purchases.flatMap(({ instances }) => instances.map(({ instanceId }) => instanceId)),
    ...purchases.flatMap(({ state, order }) => (state === 'OPEN' ? [order.id] : [])),
  ]);

/** That these happened is what makes the runs worth something. */
const repairs = [
  'it is not known what was launched; the same is asked for again',
  'an instance that nobody has bought was ended',
  'a host was found that nobody knew to have bought',
  'an instance is gone',
];

async function survive(seed: number): Promise<Run> {
  const minHosts = seed % 2;
  await using sim = await CapacitySim.start({
    seed,
    limits: { minHosts, maxHosts },
    policy: {
      consolidation: seed % 3 === 0 ? 'replace' : 'empty',
      market: seed % 5 === 0 ? 'spot-first' : 'on-demand',
    },
    fleet: { faults, visibleAfterMs: (seed % 4) * 3.2 * minutes, bootMs: { least: 20_000, most: 120_000 } },
  });
  const run = new Run(sim);
  for (let tick = 0; tick < (20 * 60) / tickSeconds; tick += 1) await run.tick('busy');
  run.calm();
  for (let tick = 0; tick < (5 * 60) / tickSeconds; tick += 1) await run.tick('calm');
  for (let minute = 0; minute < 40; minute += 1) await run.tick('calm', 60);
  await checkEnd(run, minHosts);
  return run;
}

async function checkEnd({ sim, tasks, lost }: Run, minHosts: number): Promise<void> {
  for (const id of tasks) {
    const task = await sim.task(id);
    expect(task, id).toMatchObject({ lastStatus: 'STOPPED' });
    if (task.hostName !== undefined && lost.has(task.hostName)) continue;
    // Nothing else ends a task than itself, or a successor that runs.
    if (task.stopCode !== 'EssentialContainerExited')
      expect(task.stoppedReason).toMatch(/^The host .* The task [0-9a-f]{32} runs instead\.$/);
  }
  const purchases = await openPurchases(sim.table, 'default');
  const left = purchases.flatMap(({ instances }) => instances.filter(({ endedAt }) => endedAt === undefined));
  expect(purchases.filter(({ state }) => state !== 'LAUNCHED')).toEqual([]);
  expect(left.filter(({ joinedAt }) => joinedAt === undefined)).toEqual([]);
  expect(left.map(({ instanceId }) => instanceId).sort()).toEqual(
    sim.fleet.living.map(({ instanceId }) => instanceId).sort(),
  );
  expect(left).toHaveLength(minHosts);
  expect(await breaches(sim.table)).toEqual([]);
}

describe('a control plane that dies while it buys', { timeout: 600_000 }, () => {
  const seedsPerTest = 25;
  const met = new Map<string, number>();
  let peak = 0;

  it.each(Array.from({ length: 8 }, (_, part) => part * seedsPerTest))(
    'leaks nothing and loses nothing (seeds from %i)',
    async (first) => {
      let deaths = 0;
      for (let seed = first; seed < first + seedsPerTest; seed += 1) {
        const run = await survive(seed).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
        deaths += run.deaths;
        peak = Math.max(peak, run.peak);
        for (const { msg } of run.sim.logged) met.set(msg, (met.get(msg) ?? 0) + 1);
      }
      expect(deaths).toBeGreaterThan(seedsPerTest);
    },
  );

  it('has come upon everything that it repairs, and bought twice only what nobody could know of', () => {
    for (const message of repairs) expect(met.get(message) ?? 0, message).toBeGreaterThan(0);
    expect(peak).toBeGreaterThan(maxHosts);
    expect(peak).toBeLessThanOrEqual(2 * maxHosts);
  });
});
