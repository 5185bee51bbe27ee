/**
 * A fleet whose machines are entries of a map, on a clock that the test moves: with every fault that EC2 has, and with nothing hidden
 * from the test. Machines boot by themselves as time passes; whether they become hosts is up to the test.
 */
import type {
  Fleet,
  FleetInstance,
  LaunchedInstance,
  LaunchFault,
  LaunchOutcome,
} from '../../../control/fleet/fleet.ts';
import type { Offer, Order } from '../../../core/model/capacity.ts';
import type { Random } from '../../../core/random.ts';

/** How likely each is, at each call. */
export interface FleetFaults {
  /** There is none of an offer in a zone. */
  readonly noCapacity: number;
  /** The whole call is refused: a quota. */
  readonly limit: number;
  /** Of `launch`, `terminate` and `list`. */
  readonly throttled: number;
  /** Nothing was launched, and the caller does not know. */
  readonly rejectsBefore: number;
  /** All was launched, and the caller does not know. */
  readonly rejectsAfter: number;
  /** An end is taken, and nothing ends. */
  readonly endsNothing: number;
  /** What is on offer is not said. */
  readonly offersNothing: number;
  /** Of an instance: that it never joins. */
  readonly neverJoins: number;
}

export interface FakeFleetOptions {
  readonly now: () => number;
  readonly random: Random;
  readonly offers?: readonly Offer[];
  readonly faults?: Partial<FleetFaults>;
  /** How long until a launch or an end shows in the list. */
  readonly visibleAfterMs?: number;
  /** From launch until it may join. */
  readonly bootMs?: { readonly least: number; readonly most: number };
  /** Of all clusters together. */
  readonly mostInstances?: number;
  /** For how long the same order launches nothing more. */
  readonly tokenMs?: number;
}

export interface FakeInstance extends LaunchedInstance {
  readonly orderId: string;
  readonly cluster: string;
  readonly launchedAt: number;
  readonly bootedAt: number;
  readonly joins: boolean;
  endedAt: number | undefined;
}

export const offerOf = (name: string, changes: Partial<Offer> = {}): Offer => ({
  name,
  cpuUnits: 2048,
  memoryMib: 4096,
  architecture: 'x86_64',
  zones: ['zone-a', 'zone-b'],
  hourlyUsd: 0.1,
  attributes: {},
  ...changes,
});

const someOffers = [
  offerOf('small', { spotHourlyUsd: 0.03 }),
  offerOf('large', { cpuUnits: 8192, memoryMib: 16_384, hourlyUsd: 0.4, spotHourlyUsd: 0.12 }),
];

/** Of one of its own offers. */
export const sizesOf = (name: string): Pick<Offer, 'cpuUnits' | 'memoryMib'> =>
  someOffers.find((offer) => offer.name === name) ?? { cpuUnits: 0, memoryMib: 0 };

export class FakeFleet implements Fleet {
  /** Everything that ever was, by id. */
  readonly instances = new Map<string, FakeInstance>();
  /** `<offer>/<zone>` of which there is none, until the test says otherwise. */
  readonly exhausted = new Set<string>();
  /** Every order that it was asked for, each time. */
  readonly asked: Order[] = [];
  faults: Partial<FleetFaults>;
  mostInstances: number;
  readonly #options: FakeFleetOptions;
  readonly #answers = new Map<string, { readonly outcome: LaunchOutcome; readonly at: number }>();

  constructor(options: FakeFleetOptions) {
    this.#options = options;
    this.faults = options.faults ?? {};
    this.mostInstances = options.mostInstances ?? Infinity;
  }

  async offers(): Promise<readonly Offer[]> {
    if (this.#strikes('offersNothing')) throw new Error('the prices cannot be read');
    return this.#options.offers ?? someOffers;
  }

  async launch(order: Order): Promise<LaunchOutcome> {
    this.asked.push(order);
    const { now, tokenMs = 600_000 } = this.#options;
    const known = this.#answers.get(order.id);
    if (known !== undefined && now() - known.at <= tokenMs) return known.outcome;
    if (this.#strikes('throttled')) return { instances: [], faults: [{ kind: 'throttled', message: 'Rate exceeded' }] };
    if (this.#strikes('rejectsBefore')) throw new Error('the fleet did not answer');
    const outcome = this.#carryOut(order);
    this.#answers.set(order.id, { outcome, at: now() });
    if (this.#strikes('rejectsAfter')) throw new Error('the answer of the fleet was lost');
    return outcome;
  }

  async list(cluster: string): Promise<readonly FleetInstance[]> {
    if (this.#strikes('throttled')) throw new Error('Rate exceeded');
    const { now, visibleAfterMs = 0 } = this.#options;
    const seenAt = now() - visibleAfterMs;
    return [...this.instances.values()]
      .filter((instance) => instance.cluster === cluster && instance.launchedAt <= seenAt)
      .filter(({ endedAt }) => endedAt === undefined || endedAt > seenAt)
      .map(({ instanceId, offer, zone, orderId, launchedAt, bootedAt, endedAt }) => ({
        instanceId,
        offer,
        zone,
        orderId,
        launchedAt,
        state: endedAt !== undefined ? 'ending' : bootedAt > now() ? 'pending' : 'running',
      }));
  }

  async terminate(instanceIds: readonly string[]): Promise<void> {
    if (this.#strikes('throttled')) throw new Error('Rate exceeded');
    if (!this.#strikes('endsNothing')) for (const id of instanceIds) this.vanish(id);
    if (this.#strikes('rejectsAfter')) throw new Error('the answer of the fleet was lost');
  }

  /** The machine is gone, whoever ended it. */
  vanish(instanceId: string): void {
    const instance = this.instances.get(instanceId);
    if (instance !== undefined) instance.endedAt ??= this.#options.now();
  }

  /** Machines that are there. */
  get living(): readonly FakeInstance[] {
    return [...this.instances.values()].filter(({ endedAt }) => endedAt === undefined);
  }

  /** Those that would join by now, were there a host. */
  get booted(): readonly FakeInstance[] {
    return this.living.filter(({ joins, bootedAt }) => joins && bootedAt <= this.#options.now());
  }

  /** In one turn, so that an order that is asked for twice at once is one. */
  #carryOut({ id, cluster, count, offers }: Order): LaunchOutcome {
    const sold = this.#options.offers ?? someOffers;
    const unknown = offers.find(({ name }) => !sold.some((offer) => offer.name === name));
    if (unknown !== undefined) return refused({ kind: 'invalid', message: `There is no offer ${unknown.name}.` });
    if (this.#strikes('limit')) return refused({ kind: 'limit', message: 'You have reached your limit of instances.' });
    const faults: LaunchFault[] = [];
    const instances: LaunchedInstance[] = [];
    for (const { name, zones } of offers) {
      for (const zone of zones) {
        if (instances.length === count) break;
        if (this.exhausted.has(`${name}/${zone}`) || this.#strikes('noCapacity')) {
          faults.push({ kind: 'no-capacity', offer: name, zone, message: `There is no ${name} in ${zone} now.` });
          continue;
        }
        while (instances.length < count && this.living.length < this.mostInstances)
          instances.push(this.#make(id, cluster, name, zone));
        if (instances.length < count) {
          const message = `At most ${this.mostInstances} instances are allowed.`;
          return { instances, faults: [...faults, { kind: 'limit', message }] };
        }
      }
    }
    return { instances, faults: instances.length === count ? [] : faults };
  }

  #make(orderId: string, cluster: string, offer: string, zone: string): LaunchedInstance {
    const { now, random, bootMs = { least: 0, most: 0 } } = this.#options;
    const instanceId = `i-${(this.instances.size + 1).toString(16).padStart(17, '0')}`;
    const launchedAt = now();
    this.instances.set(instanceId, {
      instanceId,
      offer,
      zone,
      orderId,
      cluster,
      launchedAt,
      bootedAt: launchedAt + bootMs.least + Math.round(random() * (bootMs.most - bootMs.least)),
      joins: !this.#strikes('neverJoins'),
      endedAt: undefined,
    });
    return { instanceId, offer, zone };
  }

  #strikes(fault: keyof FleetFaults): boolean {
    const rate = this.faults[fault] ?? 0;
    return rate > 0 && this.#options.random() < rate;
  }
}

const refused = (fault: LaunchFault): LaunchOutcome => ({ instances: [], faults: [fault] });
