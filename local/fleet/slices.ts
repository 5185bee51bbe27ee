/** What this machine sells, and which slots an order gets. Pure. */
import type { LaunchFault } from '../../control/fleet/fleet.ts';
import type { Offer, Order } from '../../core/model/capacity.ts';
import { type HostShare, memoryForTasks, shareOf, zonesOf } from '../host-plan.ts';
import type { Machine } from '../machine.ts';
import type { CloudOptions } from '../options.ts';
import { instanceIdOf, type LaunchedHost, type LiveHost, type OrderRecord } from './records.ts';

const sliceName = 'slice';

export interface SliceSurroundings {
  readonly options: Pick<CloudOptions, 'fleet' | 'region'>;
  readonly machine: Machine;
}

const mostHosts = ({ fleet }: SliceSurroundings['options']): number => fleet?.max ?? 0;

/** Of a fleet that may have no host it is the whole machine, so that there is something to say what is not sold. */
const sliceOf = ({ options, machine }: SliceSurroundings): HostShare =>
  shareOf(machine, Math.max(1, mostHosts(options)));

export function offerOf(surroundings: SliceSurroundings): Offer {
  const { options, machine } = surroundings;
  return {
    name: sliceName,
    ...sliceOf(surroundings),
    architecture: machine.cpuArchitecture,
    zones: zonesOf(options.region, Math.max(1, mostHosts(options))),
    hourlyUsd: 0,
    attributes: { 'ecs.os-type': 'linux', 'ecs.cpu-architecture': machine.cpuArchitecture },
  };
}

/** The answer to an order that was not asked before; `live` holds its slot and its memory until it is ended. */
export function answerOrder(
  order: Order,
  live: readonly LiveHost[],
  now: number,
  surroundings: SliceSurroundings,
): OrderRecord | Extract<LaunchFault, { kind: 'invalid' }> {
  const offer = offerOf(surroundings);
  const zones = order.offers
    .find(({ name }) => name === offer.name)
    ?.zones.filter((zone) => offer.zones.includes(zone));
  if (order.market === 'spot') return { kind: 'invalid', message: 'Slices of this machine are not sold as spot.' };
  if (zones === undefined || zones.length === 0)
    return {
      kind: 'invalid',
      message: `This machine has nothing but the offer ${offer.name}, in ${offer.zones.join(', ')}.`,
    };
  const there: { readonly slot: number; readonly zone: string; readonly memoryMib: number }[] = [...live];
  const hosts: LaunchedHost[] = [];
  let limit: string | undefined;
  while (hosts.length < order.count) {
    limit = fullWhy(there, offer, surroundings);
    if (limit !== undefined) break;
    const host = {
      instanceId: instanceIdOf(order, hosts.length),
      slot: freeSlot(there),
      zone: leastUsed(zones, there),
      cpuUnits: offer.cpuUnits,
      memoryMib: offer.memoryMib,
      launchedAt: now,
      state: 'pending' as const,
    };
    hosts.push(host);
    there.push(host);
  }
  const { id: orderId, cluster, provider } = order;
  const answer = { orderId, cluster, provider, offer: offer.name, answeredAt: now, hosts };
  return limit === undefined ? answer : { ...answer, limit };
}

function fullWhy(
  there: readonly { readonly memoryMib: number }[],
  { memoryMib }: Offer,
  { options, machine }: SliceSurroundings,
): string | undefined {
  const most = mostHosts(options);
  if (there.length >= most) return `This machine has ${there.length} of at most ${most} hosts.`;
  const free = memoryForTasks(machine) - there.reduce((sum, host) => sum + host.memoryMib, 0);
  // Hosts of an earlier fleet, of fewer and larger slices, may leave less.
  if (free < memoryMib) return `Of this machine's memory ${free} MiB are left, and a slice has ${memoryMib}.`;
  return undefined;
}

function freeSlot(there: readonly { readonly slot: number }[]): number {
  const taken = new Set(there.map(({ slot }) => slot));
  let slot = 1;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/** The first of those of which there are fewest. */
function leastUsed(zones: readonly string[], there: readonly { readonly zone: string }[]): string {
  const used = (zone: string): number => there.filter((host) => host.zone === zone).length;
  return zones.toSorted((a, b) => used(a) - used(b))[0] ?? '';
}
