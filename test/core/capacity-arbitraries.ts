/** Random inputs of a plan of capacity, small enough that room, orders, offers and limits each run out. */
import fc from 'fast-check';
import type { CapacityLimits, CapacityPolicy, Offer, Purchase } from '../../core/model/capacity.ts';
import type { HostPort } from '../../core/model/resources.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { applyReservation } from '../../core/placement/capacity.ts';
import { fits } from '../../core/placement/filters.ts';
import type { Blame, CapacityInput, OwnedHost } from '../../core/plan/capacity/types.ts';
import { emptyHost } from './arbitraries.ts';

export const now = 1_000_000_000;

const zones = ['a', 'b'] as const;
const sizes = [
  { cpuUnits: 1024, memoryMib: 2048, hourlyUsd: 0.05 },
  { cpuUnits: 2048, memoryMib: 4096, hourlyUsd: 0.1 },
  { cpuUnits: 2048, memoryMib: 8192, hourlyUsd: 0.13 },
  { cpuUnits: 8192, memoryMib: 16384, hourlyUsd: 0.4 },
] as const;

const offerArbitrary: fc.Arbitrary<Offer> = fc
  .record({
    size: fc.constantFrom(...sizes),
    architecture: fc.constantFrom('x86_64', 'arm64'),
    zones: fc.subarray([...zones], { minLength: 1 }),
    spot: fc.boolean(),
    free: fc.nat(5),
  })
  .map(({ size, architecture, zones: offered, spot, free }) => ({
    name: `${size.cpuUnits / 1024}x${size.memoryMib / 1024}-${architecture}`,
    ...size,
    hourlyUsd: free === 0 ? 0 : size.hourlyUsd,
    architecture,
    zones: offered,
    attributes: {},
    ...(spot && { spotHourlyUsd: size.hourlyUsd * 0.4 }),
  }));

export const offersArbitrary: fc.Arbitrary<Offer[]> = fc.uniqueArray(offerArbitrary, {
  maxLength: 5,
  selector: ({ name }) => name,
});

const expressions = [
  'attribute:ecs.availability-zone != a',
  'attribute:ecs.availability-zone in [a, b]',
  'not(attribute:ecs.availability-zone == b)',
  'attribute:ecs.availability-zone =~ [^a] or attribute:ecs.cpu-architecture == arm64',
  'attribute:ecs.cpu-architecture =~ x86.*',
  'not(task:group == family:job)',
  'task:group == family:web',
  'runningTasksCount < 3',
  'attribute:none exists',
];

const needsArbitrary: fc.Arbitrary<PlacementNeeds> = fc
  .record({
    cpuUnits: fc.constantFrom(0, 128, 512, 1024, 3000, 9000),
    memoryMib: fc.constantFrom(64, 300, 1000, 4000, 20_000),
    ports: fc.constantFrom<HostPort[]>([], [], [], ['tcp/80'], ['tcp/80', 'udp/53']),
    architecture: fc.constantFrom(undefined, undefined, 'x86_64', 'arm64'),
    zone: fc.constantFrom(undefined, undefined, undefined, ...zones),
    distinct: fc.nat(4),
    memberOf: fc.option(fc.constantFrom(...expressions), { freq: 2, nil: undefined }),
    group: fc.constantFrom('family:web', 'family:job'),
  })
  .map(({ cpuUnits, memoryMib, ports, architecture, zone, distinct, memberOf, group }) => ({
    reservation: { cpuUnits, memoryMib, ports },
    attributes: {
      ...(architecture && { 'ecs.cpu-architecture': architecture }),
      ...(zone && { 'ecs.availability-zone': zone }),
    },
    group,
    constraints: [
      ...(distinct === 0 ? [{ type: 'distinctInstance' as const }] : []),
      ...(memberOf === undefined ? [] : [{ type: 'memberOf' as const, expression: memberOf }]),
    ],
    strategies: [],
  }));

/** Runs of alike tasks, as services and RunTask make them. */
const runsArbitrary = (maxLength: number): fc.Arbitrary<PlacementNeeds[]> =>
  fc
    .array(fc.tuple(needsArbitrary, fc.integer({ min: 1, max: 6 })), { maxLength })
    .map((runs) => runs.flatMap(([needs, count]) => Array.from({ length: count }, () => needs)));

interface HostDraw {
  readonly offer: number;
  readonly zone: number;
  readonly needs: readonly PlacementNeeds[];
  readonly replaceable: number;
  readonly status: OwnedHost['host']['status'];
  readonly silent: number;
  readonly since: number;
}

const hostDrawArbitrary: fc.Arbitrary<HostDraw> = fc.record({
  offer: fc.nat(),
  zone: fc.nat(),
  needs: fc.oneof(fc.constant([]), runsArbitrary(2)),
  replaceable: fc.nat(3),
  status: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'DRAINING', 'INACTIVE'),
  silent: fc.nat(5),
  since: fc.integer({ min: 0, max: 400 }),
});

/** A host of one of the offers, with those of the tasks that fit. */
function ownedHost(draw: HostDraw, index: number, offers: readonly Offer[]): OwnedHost[] {
  const offer = offers[draw.offer % Math.max(1, offers.length)];
  if (offer === undefined) return [];
  const zone = offer.zones[draw.zone % offer.zones.length] ?? 'a';
  const amounts = { totalCpuUnits: offer.cpuUnits, totalMemoryMib: offer.memoryMib };
  const attributes = {
    'ecs.os-type': 'linux',
    'ecs.cpu-architecture': offer.architecture,
    'ecs.availability-zone': zone,
  };
  let host = emptyHost(`i-host-${index}`, {
    ...amounts,
    freeCpuUnits: offer.cpuUnits,
    freeMemoryMib: offer.memoryMib,
    attributes,
  });
  const tasks = [];
  for (const [at, needs] of draw.needs.entries()) {
    if (!fits(host, needs)) continue;
    const taskId = `running-${index}-${at}`;
    host = applyReservation(host, needs, taskId);
    tasks.push({ taskId, needs, replaceable: draw.replaceable > 0 });
  }
  const starting = draw.silent === 0 && tasks.length === 0;
  const since = now - draw.since * 1000;
  return [
    {
      host: {
        ...host,
        status: draw.status,
        ...(starting && { reportedEpoch: 0, connected: false }),
        ...(draw.silent === 1 && { connected: false }),
      },
      instanceId: `i-host-${index}`,
      offer: offer.name,
      zone,
      hourlyUsd: offer.hourlyUsd,
      joinedAt: since,
      emptySince: tasks.length === 0 ? since : undefined,
      tasks,
    },
  ];
}

const purchaseDrawArbitrary = fc.record({
  offer: fc.nat(),
  count: fc.integer({ min: 1, max: 3 }),
  state: fc.constantFrom<Purchase['state'][]>('OPEN', 'LAUNCHED', 'CLOSED'),
  since: fc.integer({ min: 0, max: 400 }),
  ending: fc.nat(5),
});

type PurchaseDraw = typeof purchaseDrawArbitrary extends fc.Arbitrary<infer Draw> ? Draw : never;

function purchase(
  { offer: at, count, state, since, ending }: PurchaseDraw,
  index: number,
  offers: readonly Offer[],
): Purchase[] {
  const offer = offers[at % Math.max(1, offers.length)];
  if (offer === undefined) return [];
  const id = `order-${index}`;
  const orderedAt = now - since * 1000;
  return [
    {
      order: {
        id,
        cluster: 'default',
        provider: 'p',
        offers: [{ name: offer.name, zones: offer.zones }],
        market: 'on-demand',
        count,
      },
      state,
      orderedAt,
      covers: [],
      why: '',
      instances:
        state === 'OPEN'
          ? []
          : Array.from({ length: count }, (_, n) => ({
              instanceId: `i-${id}-${n}`,
              offer: offer.name,
              zone: offer.zones[0] ?? 'a',
              hourlyUsd: offer.hourlyUsd,
              launchedAt: orderedAt,
              ...(ending === 0 && { endingAt: now }),
              ...(ending === 1 && { endedAt: now }),
            })),
      version: 1,
    },
  ];
}

const limitsArbitrary: fc.Arbitrary<CapacityLimits> = fc.record(
  {
    minHosts: fc.constantFrom(0, 0, 0, 2),
    maxHosts: fc.constantFrom(0, 3, 8, 100),
    maxCpuUnits: fc.constantFrom(4096, 20_000),
    maxHourlyUsd: fc.constantFrom(0.2, 1),
  },
  { requiredKeys: ['minHosts', 'maxHosts'] },
);

const policyArbitrary: fc.Arbitrary<CapacityPolicy> = fc.record({
  market: fc.constantFrom('on-demand', 'on-demand', 'spot', 'spot-first'),
  idleSeconds: fc.constantFrom(0, 120),
  joinSeconds: fc.constant(300),
  drainSeconds: fc.constant(3600),
  consolidation: fc.constantFrom('off', 'empty', 'replace', 'replace'),
  maxDraining: fc.constantFrom(1, 3),
});

const blameArbitrary = (offers: readonly Offer[]): fc.Arbitrary<Blame[]> =>
  offers.length === 0
    ? fc.constant([])
    : fc.array(
        fc.record({
          offer: fc.constantFrom(...offers.map(({ name }) => name)),
          zone: fc.constantFrom(...zones),
          market: fc.constantFrom('on-demand', 'spot'),
          until: fc.integer({ min: now - 100_000, max: now + 100_000 }),
          why: fc.constant('there is none'),
        }),
        { maxLength: 3 },
      );

export const waitingArbitrary = (maxRuns: number): fc.Arbitrary<CapacityInput['waiting']> =>
  runsArbitrary(maxRuns).map((all) =>
    all.map((needs, index) => ({ taskId: `task-${index}`, createdAt: now - 1000 + index, needs })),
  );

export const inputArbitrary: fc.Arbitrary<CapacityInput> = offersArbitrary.chain((offers) =>
  fc
    .record({
      limits: limitsArbitrary,
      policy: policyArbitrary,
      waiting: fc.oneof(fc.constant([]), waitingArbitrary(8)),
      hosts: fc.array(hostDrawArbitrary, { maxLength: 5 }),
      others: fc.array(hostDrawArbitrary, { maxLength: 2 }),
      purchases: fc.constantFrom(0, 3).chain((maxLength) => fc.array(purchaseDrawArbitrary, { maxLength })),
      blames: fc.oneof(fc.constant([]), blameArbitrary(offers)),
    })
    .map(({ hosts, others, purchases, ...rest }) => ({
      now,
      cluster: 'default',
      provider: 'p',
      offers,
      ...rest,
      hosts: hosts.flatMap((draw, index) => ownedHost(draw, index, offers)),
      otherHosts: others.flatMap((draw, index) => ownedHost(draw, 100 + index, offers).map(({ host }) => host)),
      purchases: purchases.flatMap((draw, index) => purchase(draw, index, offers)),
    })),
);
