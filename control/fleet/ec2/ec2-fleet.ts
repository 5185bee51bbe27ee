/**
 * EC2 as a fleet. An order is one request under one client token, never two: which of its choices is taken is EC2's to find out, because
 * a second request for the rest would have to be remembered as well. What EC2 could not give, the next plan asks elsewhere for.
 *
 * A token is remembered with all of its request: RunInstances answers the same reservation for at least a day after its instances ended,
 * CreateFleet the same fleet. Where EC2 only says that it was asked before (for other parameters, because the launch template has
 * changed since, or because what was launched is ended), what came of it is found by the order's tag.
 */
import { CreateFleetCommand, DescribeFleetsCommand, type EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import type { Offer, Order } from '../../../core/model/capacity.ts';
import type { HostSupply } from '../../../core/model/host-supply.ts';
import type { Log } from '../../deps.ts';
import type { Fleet, FleetInstance, LaunchFault, LaunchOutcome } from '../fleet.ts';
import { type FleetAnswer, fleetOutcome, reservationOutcome, saysNothing } from './answers.ts';
import { type Ec2Catalogue, openCatalogue } from './catalogue.ts';
import { type AwsAccess, openEc2Client } from './client.ts';
import { meaningOf, messageOf } from './errors.ts';
import { instancesOfCluster, instancesOfOrder, terminate } from './instances.ts';
import type { OnDemandPrices } from './prices.ts';
import { type Choice, choicesFor, createFleet, runInstances } from './requests.ts';

export interface Ec2FleetOptions extends AwsAccess {
  /** The id of this control plane: a tag of what it buys, so that no other of the account touches it. */
  readonly controlPlane: string;
  /** Where and from what the hosts of a cluster are launched. */
  readonly supply: (cluster: string) => Promise<HostSupply | undefined>;
  readonly prices: OnDemandPrices;
  readonly now: () => number;
  readonly log?: Pick<Log, 'warn'> | undefined;
}

/** Until then EC2 may not know an instance that it has launched. */
const youngMs = 5 * 60_000;

export class Ec2Fleet implements Fleet {
  readonly #options: Ec2FleetOptions;
  readonly #client: EC2Client;
  readonly #catalogue: Ec2Catalogue;
  /** Of this process, by id: when it was answered. */
  readonly #launched = new Map<string, number>();

  constructor(options: Ec2FleetOptions) {
    this.#options = options;
    this.#client = openEc2Client(options);
    this.#catalogue = openCatalogue({ ...options, client: this.#client });
  }

  /** Nothing for a cluster whose hosts nobody has said how to launch. */
  async offers(cluster: string): Promise<readonly Offer[]> {
    const supply = await this.#options.supply(cluster);
    return supply === undefined ? [] : this.#catalogue.offers(supply);
  }

  async launch(order: Order): Promise<LaunchOutcome> {
    const outcome = await this.#launch(order);
    const now = this.#options.now();
    for (const [id, at] of this.#launched) if (at + youngMs <= now) this.#launched.delete(id);
    for (const { instanceId } of outcome.instances) this.#launched.set(instanceId, now);
    return outcome;
  }

  list(cluster: string): Promise<readonly FleetInstance[]> {
    return instancesOfCluster(this.#client, this.#options.controlPlane, cluster);
  }

  terminate(instanceIds: readonly string[]): Promise<void> {
    const now = this.#options.now();
    const isYoung = (id: string): boolean => (this.#launched.get(id) ?? -Infinity) + youngMs > now;
    return terminate(this.#client, instanceIds, isYoung);
  }

  async #launch(order: Order): Promise<LaunchOutcome> {
    const supply = await this.#options.supply(order.cluster);
    if (supply === undefined) return refused({ kind: 'invalid', message: unsupplied(order.cluster) });
    let choices: readonly Choice[] = [];
    try {
      const known = await this.#catalogue.architectures(order.offers.map(({ name }) => name));
      const stranger = order.offers.find(({ name }) => !known.has(name));
      if (stranger !== undefined) return refused({ kind: 'invalid', message: unheardOf(stranger.name, this.#options) });
      const { possible, faults } = choicesFor(order, supply, known);
      choices = possible;
      const [first] = possible;
      if (first === undefined)
        return refused({ kind: 'invalid', message: faults.map(({ message }) => message).join(' ') });
      const outcome = await (possible.length === 1
        ? this.#runInstances(order, first)
        : this.#createFleet(order, possible));
      return { ...outcome, faults: [...outcome.faults, ...faults] };
    } catch (error) {
      return this.#outcomeOf(error, order, choices);
    }
  }

  async #runInstances(order: Order, choice: Choice): Promise<LaunchOutcome> {
    const request = new RunInstancesCommand(runInstances(order, choice, this.#options.controlPlane));
    const { Instances = [] } = await this.#client.send(request);
    return reservationOutcome(Instances, choice, order.count);
  }

  async #createFleet(order: Order, choices: readonly Choice[]): Promise<LaunchOutcome> {
    const request = new CreateFleetCommand(createFleet(order, choices, this.#options.controlPlane));
    const answer = await this.#client.send(request);
    const said = saysNothing(answer) ? await this.#fleetOf(answer.FleetId ?? '') : answer;
    return fleetOutcome(said, choices, order.count);
  }

  /** Of a request that is repeated EC2 may tell no more than which fleet it has made. Whatever goes wrong here, there may be one. */
  async #fleetOf(fleetId: string): Promise<FleetAnswer> {
    const { Fleets: [fleet = {}] = [] } = await this.#client
      .send(new DescribeFleetsCommand({ FleetIds: [fleetId] }))
      .catch((error: unknown) => {
        throw new Error(`EC2 does not show the fleet ${fleetId}: ${messageOf(error)}`, { cause: error });
      });
    if (saysNothing(fleet)) throw new Error(`EC2 does not say yet what came of the fleet ${fleetId}.`);
    return fleet;
  }

  async #outcomeOf(error: unknown, order: Order, choices: readonly Choice[]): Promise<LaunchOutcome> {
    const kind = meaningOf(error);
    const message = messageOf(error);
    if (kind === 'asked-before') return this.#foundOf(order, error);
    if (kind === 'unknown')
      throw new Error(`It is not known what EC2 launched of ${order.id}: ${message}`, { cause: error });
    if (kind !== 'no-capacity') return refused({ kind, message });
    return { instances: [], faults: choices.map(({ offer, zone }) => ({ kind, offer, zone, message })) };
  }

  /** Why there are not more is not known any more. */
  async #foundOf({ id, count }: Order, error: unknown): Promise<LaunchOutcome> {
    const found = await instancesOfOrder(this.#client, this.#options.controlPlane, id);
    if (found.length === 0)
      throw new Error(`EC2 was asked for ${id} before, and nothing of it shows: ${messageOf(error)}`, { cause: error });
    if (found.length < count)
      this.#options.log?.warn(
        { order: id, found: found.length, count },
        'an order that was asked for before has fewer',
      );
    return { instances: found.map(({ instanceId, offer, zone }) => ({ instanceId, offer, zone })), faults: [] };
  }
}

const refused = (fault: LaunchFault): LaunchOutcome => ({ instances: [], faults: [fault] });

const unheardOf = (type: string, { region }: Ec2FleetOptions): string =>
  `EC2 has no instance type ${type} in ${region} that could be a host.`;

const unsupplied = (cluster: string): string =>
  `It is not known how hosts of the cluster ${cluster} are launched: deploy its GantryCluster with a GantryCapacityProvider, which ` +
  'says from which launch template and into which subnets.';
