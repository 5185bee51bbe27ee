import { describe, expect, it } from 'vitest';
import { capacityPolicySchema, type Offer, type Purchase } from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { applyReservation } from '../../core/placement/capacity.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput, CapacityPlan, HostTaskFacts, OwnedHost } from '../../core/plan/capacity/types.ts';
import { emptyHost, plainNeeds } from './arbitraries.ts';

const now = Date.parse('2026-11-25T12:00:00Z');
const ago = (seconds: number): number => now - seconds * 1000;

const offer = (name: string, vcpus: number, gib: number, hourlyUsd: number, changes: Partial<Offer> = {}): Offer => ({
  name,
  cpuUnits: vcpus * 1024,
  memoryMib: gib * 1024,
  architecture: name.includes('g.') ? 'arm64' : 'x86_64',
  zones: ['eu-west-1a', 'eu-west-1b'],
  hourlyUsd,
  spotHourlyUsd: Number((hourlyUsd * 0.4).toFixed(4)),
  attributes: {},
  ...changes,
});

const general = [
  offer('m7i.large', 2, 7, 0.1),
  offer('m7i.xlarge', 4, 15, 0.2),
  offer('m7i.2xlarge', 8, 30, 0.4),
  offer('m7i.4xlarge', 16, 62, 0.8),
];
const memory = [offer('r7i.large', 2, 15, 0.13), offer('r7i.4xlarge', 16, 124, 1.06)];
const arm = [offer('m7g.large', 2, 7, 0.08), offer('m7g.4xlarge', 16, 62, 0.65)];

const needs = (vcpus: number, gib: number, changes: Partial<PlacementNeeds> = {}): PlacementNeeds =>
  plainNeeds({
    reservation: { cpuUnits: vcpus * 1024, memoryMib: gib * 1024, ports: [] },
    attributes: { 'ecs.cpu-architecture': 'x86_64' },
    ...changes,
  });

const tasks = (name: string, count: number, wants: PlacementNeeds): CapacityInput['waiting'] =>
  Array.from({ length: count }, (_, n) => ({ taskId: `${name}-${n + 1}`, createdAt: ago(20), needs: wants }));

function host(
  name: string,
  from: Offer,
  changes: Partial<OwnedHost> & { on?: readonly HostTaskFacts[]; capacity?: Partial<HostCapacity> } = {},
): OwnedHost {
  const { on = [], capacity, ...rest } = changes;
  const zone = from.zones[0] ?? '';
  const empty = emptyHost(name, {
    totalCpuUnits: from.cpuUnits,
    totalMemoryMib: from.memoryMib,
    freeCpuUnits: from.cpuUnits,
    freeMemoryMib: from.memoryMib,
    attributes: { 'ecs.os-type': 'linux', 'ecs.cpu-architecture': from.architecture, 'ecs.availability-zone': zone },
  });
  const used = on.reduce((state, task) => applyReservation(state, task.needs, task.taskId), empty);
  return {
    host: { ...used, ...capacity },
    instanceId: name,
    offer: from.name,
    zone,
    hourlyUsd: from.hourlyUsd,
    joinedAt: ago(3600),
    emptySince: on.length === 0 ? ago(600) : undefined,
    tasks: on,
    ...rest,
  };
}

const running = (name: string, wants: PlacementNeeds, replaceable = true): HostTaskFacts => ({
  taskId: name,
  needs: wants,
  replaceable,
});

const purchase = (id: string, from: Offer, count: number, changes: Partial<Purchase> = {}): Purchase => ({
  order: {
    id,
    cluster: 'default',
    provider: 'ec2',
    offers: [{ name: from.name, zones: from.zones }],
    market: 'on-demand',
    count,
  },
  state: 'OPEN',
  orderedAt: ago(30),
  covers: [],
  why: '',
  instances: [],
  version: 1,
  ...changes,
});

const launched = (id: string, from: Offer, ages: Record<string, number>): Purchase =>
  purchase(id, from, Object.keys(ages).length, {
    state: 'LAUNCHED',
    instances: Object.entries(ages).map(([instanceId, seconds]) => ({
      instanceId,
      offer: from.name,
      zone: from.zones[0] ?? '',
      hourlyUsd: from.hourlyUsd,
      launchedAt: ago(seconds),
    })),
  });

type Story = Partial<Omit<CapacityInput, 'limits' | 'policy'>> & {
  readonly limits?: Partial<CapacityInput['limits']>;
  readonly policy?: Partial<CapacityInput['policy']>;
};

const memberOf = (expression: string): Partial<PlacementNeeds> => ({
  attributes: {},
  constraints: [{ type: 'memberOf', expression }],
});

const [large, xlarge] = [offer('m7i.large', 2, 7, 0.1), offer('m7i.xlarge', 4, 15, 0.2)];

const stories: Record<string, Story> = {
  'an empty cluster, one small task': { waiting: tasks('web', 1, needs(0.25, 0.5)) },
  'an empty cluster, many tasks': {
    waiting: [...tasks('web', 120, needs(0.5, 1)), ...tasks('batch', 9, needs(3, 10))],
  },
  'tasks that want memory': { offers: [...general, ...memory], waiting: tasks('cache', 12, needs(1, 14)) },
  'two architectures, the cheaper where it is all one': {
    offers: [...general, ...arm],
    waiting: [...tasks('x86', 3, needs(1, 2)), ...tasks('any', 3, needs(1, 2, { attributes: {} }))],
  },
  'one task a host': {
    waiting: tasks('daemon', 3, needs(0.25, 0.5, { constraints: [{ type: 'distinctInstance' }] })),
    hosts: [host('i-there', large)],
  },
  'room first, then what is on order, then a purchase': {
    waiting: tasks('web', 9, needs(1, 2)),
    hosts: [host('i-busy', xlarge, { on: [running('old', needs(3, 4), false)] })],
    purchases: [purchase('p-1', large, 1), launched('p-2', large, { 'i-booting': 25 })],
  },
  'what expressions ask for': {
    offers: [...general, ...arm],
    waiting: [
      ...tasks('zoned', 2, needs(1, 2, memberOf('attribute:ecs.availability-zone =~ .*b'))),
      ...tasks('free', 2, needs(1, 2, { attributes: {} })),
      ...tasks('apart', 3, needs(1, 2, memberOf('not(task:group == family:loud)'))),
      ...tasks('few', 7, needs(0.25, 0.5, memberOf('runningTasksCount < 3'))),
      ...tasks('nowhere', 1, needs(1, 2, memberOf('attribute:stack == prod'))),
      ...tasks('older', 1, needs(1, 2, memberOf('registeredAt < 2001-01-01 and attribute:ecs.os-type exists'))),
      ...tasks('huge', 1, needs(1, 96, memberOf('attribute:ecs.os-type == linux'))),
    ],
  },
  'what no instance type has': {
    offers: [...general, ...arm],
    waiting: [
      ...tasks('huge', 1, needs(1, 96)),
      ...tasks('wide', 2, needs(48, 1)),
      ...tasks('arm', 1, needs(1, 63, { attributes: { 'ecs.cpu-architecture': 'arm64' } })),
      ...tasks('elsewhere', 1, needs(1, 1, { attributes: { 'ecs.availability-zone': 'eu-west-1c' } })),
      ...tasks('gpu', 1, needs(1, 1, { attributes: { gpu: 'a10' } })),
    ],
  },
  'the limit of hosts': {
    limits: { maxHosts: 2 },
    hosts: [host('i-full', large, { on: [running('old', needs(2, 4), false)] })],
    waiting: tasks('web', 12, needs(2, 4)),
  },
  'the limit of cost': { limits: { maxHourlyUsd: 0.25 }, waiting: tasks('web', 4, needs(2, 4)) },
  'the limit of vCPU': { limits: { maxCpuUnits: 4096 }, waiting: tasks('web', 4, needs(2, 4)) },
  'refused everywhere': {
    offers: [large],
    waiting: tasks('web', 2, needs(1, 1)),
    blames: large.zones.map((zone) => ({
      offer: 'm7i.large',
      zone,
      market: 'on-demand',
      until: now + 60_000,
      why: 'InsufficientInstanceCapacity',
    })),
  },
  'spot first, and on demand where spot is refused': {
    policy: { market: 'spot-first' },
    offers: [large],
    waiting: tasks('web', 2, needs(1, 1)),
    blames: large.zones.map((zone) => ({
      offer: 'm7i.large',
      zone,
      market: 'spot',
      until: now + 60_000,
      why: 'InsufficientInstanceCapacity',
    })),
  },
  'an instance that never joins': {
    waiting: tasks('web', 2, needs(1, 2)),
    purchases: [launched('p-1', large, { 'i-lost': 301 })],
  },
  'a host that is smaller than its type promises': {
    waiting: tasks('web', 1, needs(2, 7)),
    offers: [large],
    hosts: [host('i-small', large, { capacity: { totalMemoryMib: 6800, freeMemoryMib: 6800 } })],
  },
  'a port that hosts keep for themselves': {
    waiting: tasks('ssh', 1, needs(1, 1, { reservation: { cpuUnits: 1024, memoryMib: 1024, ports: ['tcp/22'] } })),
    offers: [large],
    hosts: [host('i-there', large, { capacity: { ports: { 'tcp/22': 'reserved' } } })],
  },
  'an order of what is not offered any more': {
    waiting: tasks('web', 2, needs(1, 1)),
    offers: [],
    purchases: [purchase('p-1', large, 1, { covers: ['web-1'] })],
  },
  'a host that has joined and does not report': {
    waiting: tasks('web', 1, needs(1, 1)),
    hosts: [
      host('i-starting', large, { joinedAt: ago(10), capacity: { reportedEpoch: 0, connected: false } }),
      host('i-mute', large, { joinedAt: ago(301), capacity: { reportedEpoch: 0, connected: false } }),
    ],
  },
  'equal hosts of which one is silent, and one has not reported since it came back': {
    waiting: tasks('web', 3, needs(2, 4)),
    offers: [large],
    hosts: [
      host('i-there', large),
      host('i-silent', large, { capacity: { connected: false } }),
      host('i-back', large, { capacity: { epoch: 2 } }),
    ],
  },
  'hosts that are idle, young, wanted or the last': {
    limits: { minHosts: 1 },
    waiting: tasks('web', 1, needs(1, 2)),
    hosts: [
      host('i-wanted', large),
      host('i-idle', large),
      host('i-young', large, { joinedAt: ago(60), emptySince: ago(60) }),
      host('i-busy', xlarge, { on: [running('job', needs(4, 1), false)] }),
      host('i-drained', large, { capacity: { status: 'DRAINING' } }),
      host('i-draining', large, { capacity: { status: 'DRAINING' }, on: [running('last', needs(1, 1), false)] }),
    ],
  },
  'a floor': { limits: { minHosts: 2 } },
  'a floor above the limit': { limits: { minHosts: 3, maxHosts: 1 } },
  'consolidation onto other hosts': {
    policy: { consolidation: 'replace' },
    hosts: [
      host('i-half', xlarge, { on: [running('web-1', needs(2, 4))] }),
      host('i-other', xlarge, { on: [running('web-2', needs(2, 4)), running('job', needs(0.5, 1), false)] }),
      host('i-kept', large, { on: [running('web-3', needs(0.5, 1)), running('job-2', needs(0.25, 1), false)] }),
      host('i-few', large, { on: [running('web-4', needs(0.5, 1))] }),
    ],
  },
  'consolidation onto a cheaper host': {
    policy: { consolidation: 'replace' },
    hosts: [host('i-dear', offer('m7i.4xlarge', 16, 62, 0.8), { on: [running('web-1', needs(1, 2))] })],
  },
  'no consolidation of what may not be replaced': {
    policy: { consolidation: 'replace' },
    hosts: [
      host('i-dear', offer('m7i.4xlarge', 16, 62, 0.8), { on: [running('job', needs(1, 2), false)] }),
      host('i-other', xlarge, { on: [running('job-2', needs(1, 2), false)] }),
    ],
  },
};

function inputOf({ limits, policy, ...rest }: Story): CapacityInput {
  return {
    now,
    cluster: 'default',
    provider: 'ec2',
    offers: general,
    limits: { minHosts: 0, maxHosts: 50, ...limits },
    policy: { ...capacityPolicySchema.parse({}), ...policy },
    waiting: [],
    hosts: [],
    otherHosts: [],
    purchases: [],
    blames: [],
    ...rest,
  };
}

const some = (ids: readonly string[]): string =>
  ids.length > 4 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');

function tell({ launches, drains, terminations, unmet, awaited, againAt, explanation }: CapacityPlan): string {
  const orders = launches.map(({ order, covers }) => {
    const offers = order.offers.map(({ name, zones }) => `${name} (${zones.join(', ')})`).join(', else ');
    return `  order ${order.count}, ${order.market}: ${offers}${covers.length === 0 ? '' : ` · for ${some(covers)}`}`;
  });
  const parts: Record<string, readonly string[]> = {
    orders,
    unmet: unmet.map(({ taskIds, why }) => `  ${some(taskIds)}: ${why}`),
    awaiting: [...awaited].map(([taskId, sentence]) => `  ${taskId} ${sentence}`),
    ending: terminations.map(({ instanceId, hostId, why }) => `  ${instanceId} (${hostId ?? 'no host'}): ${why}`),
    draining: drains.map(({ instanceId, why }) => `  ${instanceId}: ${why}`),
  };
  const lines = Object.entries(parts).flatMap(([title, told]) => (told.length === 0 ? [] : [title, ...told]));
  const again = againAt === undefined ? 'never by itself' : `in ${(againAt - now) / 1000} s`;
  return `${explanation.join('\n')}\n\n${[...lines, `again: ${again}`].join('\n')}\n`.trimStart();
}

describe('a plan of capacity tells', () => {
  it.each(Object.entries(stories))('%s', async (name, story) => {
    await expect(tell(planCapacity(inputOf(story)))).toMatchFileSnapshot(`./golden/capacity - ${name}.txt`);
  });
});
