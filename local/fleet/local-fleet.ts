/**
 * The fleet of one machine: hosts that are slices of it. What is asked of it is written down, durably, and answered; the keeper makes it
 * so. One process has it at a time. That process is the control plane's and not the supervisor of `gantry up`: who decides that a host
 * ends must be who starts its agent again, or an agent could come back in between; and the hosts are kept also where the supervisor was
 * killed. Agents and containers outlive both.
 */
import type { Logger } from 'pino';
import { makePrivateDirectory } from '../../agent/durable-file.ts';
import { holdDirectory } from '../../agent/single-instance.ts';
import type { Fleet, FleetInstance, LaunchOutcome } from '../../control/fleet/fleet.ts';
import type { Offer, Order } from '../../core/model/capacity.ts';
import { thisMachine } from '../machine.ts';
import { type CloudOptions, cloudPaths } from '../options.ts';
import { LaunchedHosts } from './hosts.ts';
import { Keeper } from './keeper.ts';
import { FleetRecords, type OrderRecord } from './records.ts';
import { answerOrder, offerOf, type SliceSurroundings } from './slices.ts';

export interface LocalFleetOptions {
  readonly options: CloudOptions;
  readonly log: Logger;
  /** Admits a host to the cluster. */
  readonly joinToken: (cluster: string) => Promise<string>;
}

/** Nothing is done on the machine before `start`. Throws an Error where another process has the fleet. */
export async function openLocalFleet({ options, log, joinToken }: LocalFleetOptions): Promise<LocalFleet> {
  const paths = cloudPaths(options);
  makePrivateDirectory(paths.fleet);
  const held = await holdDirectory(paths.fleet, 'fleet');
  const surroundings = { options, paths, machine: thisMachine(), log };
  const records = new FleetRecords(paths.fleet);
  const keeper = new Keeper({ ...surroundings, records, hosts: new LaunchedHosts(surroundings), joinToken });
  return new LocalFleet({ records, keeper, slices: surroundings, release: () => held.close() });
}

interface Parts {
  readonly records: FleetRecords;
  readonly keeper: Keeper;
  readonly slices: SliceSurroundings;
  readonly release: () => void;
}

export class LocalFleet implements Fleet {
  /** It writes a file. Tasks must not wait for a minute because the control plane was started again. */
  readonly answersWithinMs = 2_000;
  readonly #parts: Parts;
  readonly #ended = new AbortController();
  #kept: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** From now on launched hosts are made, kept and taken away. */
  start(): void {
    this.#kept ??= this.#parts.keeper.run(this.#ended.signal);
  }

  async offers(): Promise<readonly Offer[]> {
    return [offerOf(this.#parts.slices)];
  }

  async launch(order: Order): Promise<LaunchOutcome> {
    const { records, keeper, slices } = this.#parts;
    const answer = await records.exclusively(async () => {
      const now = Date.now();
      const known = records.order(order.id);
      if (known !== undefined) return known;
      const record = answerOrder(order, records.live(), now, slices);
      if ('kind' in record) return record;
      await records.write(record);
      await records.forget(now);
      return record;
    });
    keeper.wake();
    return 'kind' in answer ? { instances: [], faults: [answer] } : outcomeOf(answer);
  }

  async list(cluster: string): Promise<readonly FleetInstance[]> {
    return this.#parts.records
      .live()
      .filter((host) => host.cluster === cluster)
      .map(({ instanceId, offer, zone, orderId, state, launchedAt }) => ({
        instanceId,
        offer,
        zone,
        orderId,
        state,
        launchedAt,
      }));
  }

  async terminate(instanceIds: readonly string[]): Promise<void> {
    for (const instanceId of instanceIds) await this.#parts.records.change(instanceId, () => ({ state: 'ending' }));
    this.#parts.keeper.wake();
  }

  /** What is being done is finished; launched hosts stay. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#kept;
    this.#parts.release();
  }
}

const outcomeOf = ({ hosts, offer, limit }: OrderRecord): LaunchOutcome => ({
  instances: hosts.map(({ instanceId, zone }) => ({ instanceId, offer, zone })),
  faults: limit === undefined ? [] : [{ kind: 'limit', message: limit }],
});
