/** What may be bought now: offers as their hosts have shown themselves, at a price, in the zones where they are not blamed. */
import type { Offer, Order } from '../../model/capacity.ts';
import type { HostCapacity } from '../../model/host.ts';
import type { HostPort } from '../../model/resources.ts';
import { inZone, memberOfs, queryOf, zoneAttribute } from '../../placement/member-of.ts';
import type { HostQuery } from '../../query/host-query.ts';
import type { HostKind } from './prices.ts';
import type { Shape } from './shapes.ts';
import type { CapacityInput, OwnedHost } from './types.ts';

/** One kind of host that an order may ask for. */
export interface Candidate extends HostKind {
  readonly offer: Offer;
  readonly market: Order['market'];
  /** Any of these. */
  readonly zones: readonly string[];
  /** Equal for candidates that become equal hosts. */
  readonly key: string;
}

export interface Market {
  readonly name: Order['market'];
  readonly candidates: readonly Candidate[];
  /** Those of them that are worth looking at first: no other is as large and as cheap, and may take the same tasks. */
  readonly best: readonly Candidate[];
}

/** The markets of the policy, each to be asked only for what those before it do not have. */
export function marketsOf(input: CapacityInput, shapes: readonly Shape[]): Market[] {
  const names: readonly Order['market'][] =
    input.policy.market === 'spot-first' ? ['spot', 'on-demand'] : [input.policy.market];
  const queries = shapes.flatMap(({ needs }) => memberOfs(needs).map(queryOf));
  const named: NamedZones = {
    zones: zonesNamedBy(shapes),
    queries: queries.filter(({ attributes }) => attributes.includes(zoneAttribute)),
  };
  const attributes = [
    ...new Set([
      ...shapes.flatMap(({ needs }) => Object.keys(needs.attributes)),
      ...queries.flatMap((query) => query.attributes),
    ]),
  ];
  return names.map((name) => {
    const candidates = seenOffers(input).flatMap((seen) => candidatesOf(seen, name, named, input));
    return { name, candidates, best: undominated(candidates, attributes) };
  });
}

/** EC2 has hundreds of instance types, and most differ in what no task here asks for. */
function undominated(candidates: readonly Candidate[], attributes: readonly string[]): Candidate[] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const { host } = candidate;
    const zones = attributes.includes(zoneAttribute) ? host.zones : [];
    const values = attributes.map((name) => host.attributes[name] ?? '');
    const key = JSON.stringify([Object.keys(host.ports), values, zones]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [candidate]);
    else group.push(candidate);
  }
  return [...groups.values()].flatMap((group) =>
    group.filter(
      (one, at) => !group.some((other, place) => dominates(other, one) && !(dominates(one, other) && at < place)),
    ),
  );
}

const dominates = (a: Candidate, b: Candidate): boolean =>
  a !== b &&
  a.offer.cpuUnits >= b.offer.cpuUnits &&
  a.offer.memoryMib >= b.offer.memoryMib &&
  a.hourlyUsd <= b.hourlyUsd &&
  // What is free is not the better for being larger.
  (b.hourlyUsd > 0 || a.offer.cpuUnits + a.offer.memoryMib <= b.offer.cpuUnits + b.offer.memoryMib);

/** As `marketsOf`, with nothing blamed: for saying why a task cannot be met. */
export const marketsWithoutBlame = (input: CapacityInput, shapes: readonly Shape[]): Market[] =>
  marketsOf({ ...input, blames: [] }, shapes);

const zonesNamedBy = (shapes: readonly Shape[]): readonly string[] =>
  [...new Set(shapes.flatMap(({ needs }) => needs.attributes[zoneAttribute] ?? []))].sort();

/** What shapes ask of zones: one each by name, and expressions. */
interface NamedZones {
  readonly zones: readonly string[];
  readonly queries: readonly HostQuery[];
}

function candidatesOf(seen: SeenOffer, market: Order['market'], named: NamedZones, input: CapacityInput): Candidate[] {
  const { blames, now } = input;
  const { offer } = seen;
  const hourlyUsd = market === 'spot' ? offer.spotHourlyUsd : offer.hourlyUsd;
  if (hourlyUsd === undefined) return [];
  const blamed = new Set(
    blames.flatMap((blame) =>
      blame.offer === offer.name && blame.market === market && blame.until > now ? [blame.zone] : [],
    ),
  );
  const zones = offer.zones.filter((zone) => !blamed.has(zone));
  return choicesOf(zones, named, hostOfOffer(seen, [], input)).flatMap((choice) =>
    choice.length === 0
      ? []
      : {
          offer,
          market,
          zones: choice,
          hourlyUsd,
          host: hostOfOffer(seen, choice, input),
          key: JSON.stringify([offer.name, market, choice]),
          accepted: new Map<string, boolean>(),
        },
  );
}

/** All zones, each that is named, and those together of which every expression says the same. */
function choicesOf(zones: readonly string[], named: NamedZones, host: HostCapacity): readonly (readonly string[])[] {
  if (zones.length < 2) return [zones];
  const choices = new Map(
    [zones, ...zones.filter((zone) => named.zones.includes(zone)).map((zone) => [zone])].map(keyed),
  );
  if (named.queries.length > 0) {
    const alike = new Map<string, string[]>();
    for (const zone of zones) {
      const said = named.queries.map((query) => query.matches(inZone(host, zone))).join();
      alike.set(said, [...(alike.get(said) ?? []), zone]);
    }
    for (const choice of alike.values()) choices.set(...keyed(choice));
  }
  return [...choices.values()];
}

const keyed = (choice: readonly string[]): [string, readonly string[]] => [JSON.stringify(choice), choice];

/** An offer, and what a host of it that is there has shown: hosts may be smaller than the offer says, and keep ports for themselves. */
export interface SeenOffer {
  readonly offer: Offer;
  readonly attributes: Readonly<Record<string, string>>;
  readonly reservedPorts: readonly HostPort[];
  /** Of the host of it that joined last, or of any. */
  readonly agentVersion: string | undefined;
}

export function seenOffers({ offers, hosts }: CapacityInput): SeenOffer[] {
  const latest = new Map<string, OwnedHost>();
  for (const owned of hosts) {
    const { reportedEpoch } = owned.host;
    const known = latest.get(owned.offer);
    if (reportedEpoch > 0 && (known === undefined || isLater(owned, known))) latest.set(owned.offer, owned);
  }
  const [newest] = [...latest.values()].sort((a, b) => (isLater(a, b) ? -1 : 1));
  return offers.map((offer) => {
    const host = latest.get(offer.name)?.host;
    return { ...seenOffer(offer, host), agentVersion: (host ?? newest?.host)?.agentVersion };
  });
}

const isLater = (a: OwnedHost, b: OwnedHost): boolean =>
  a.joinedAt > b.joinedAt || (a.joinedAt === b.joinedAt && a.instanceId > b.instanceId);

/** Believing the offer against the host would buy again and again what the task never fits on. */
function seenOffer(offer: Offer, host: HostCapacity | undefined): Omit<SeenOffer, 'agentVersion'> {
  const promised = { 'ecs.os-type': 'linux', 'ecs.cpu-architecture': offer.architecture, ...offer.attributes };
  if (host === undefined) return { offer, attributes: promised, reservedPorts: [] };
  const kept = Object.entries(promised).filter(([name, value]) => host.attributes[name] === value);
  return {
    offer: {
      ...offer,
      cpuUnits: Math.min(offer.cpuUnits, host.totalCpuUnits),
      memoryMib: Math.min(offer.memoryMib, host.totalMemoryMib),
    },
    attributes: Object.fromEntries(kept),
    reservedPorts: Object.entries(host.ports).flatMap(([port, holder]) =>
      holder === 'reserved' ? [port as HostPort] : [],
    ),
  };
}

/** In more than one zone it is not known which it will be, so that a task which wants one of them is not promised it. */
export function hostOfOffer(
  seen: SeenOffer,
  zones: readonly string[],
  { cluster, now }: Pick<CapacityInput, 'cluster' | 'now'>,
): HostCapacity {
  const { offer, attributes, reservedPorts, agentVersion } = seen;
  const [zone] = zones;
  return {
    hostId: `one more ${offer.name}`,
    cluster,
    name: offer.name,
    status: 'ACTIVE',
    epoch: 1,
    reportedEpoch: 1,
    connected: true,
    connectedChangedAt: 0,
    generation: 1,
    totalCpuUnits: offer.cpuUnits,
    totalMemoryMib: offer.memoryMib,
    freeCpuUnits: offer.cpuUnits,
    freeMemoryMib: offer.memoryMib,
    ports: Object.fromEntries(reservedPorts.map((port) => [port, 'reserved'])),
    groups: {},
    taskCount: 0,
    registeredAt: now,
    ...(agentVersion === undefined ? {} : { agentVersion }),
    ...(zones.length > 1 ? { zones } : {}),
    attributes: { ...attributes, ...(zones.length === 1 && zone !== undefined ? { [zoneAttribute]: zone } : {}) },
  };
}
