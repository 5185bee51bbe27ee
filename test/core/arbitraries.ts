/** Random hosts and needs for placement, small enough that hosts fill up and refuse for every reason. */
import fc from 'fast-check';
import type { HostCapacity } from '../../core/model/host.ts';
import type { HostPort } from '../../core/model/resources.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';

const ports: readonly HostPort[] = ['tcp/80', 'tcp/443', 'udp/53'];
const zones = ['a', 'b', 'c'] as const;
const mostly = <T>(usual: T, rare: T): fc.Arbitrary<T> => fc.nat(9).map((draw) => (draw === 0 ? rare : usual));

export const hostArbitrary: fc.Arbitrary<HostCapacity> = fc
  .record({
    status: mostly<HostCapacity['status']>('ACTIVE', 'DRAINING'),
    reportedEpoch: mostly(1, 0),
    connected: mostly(true, false),
    totalCpuUnits: fc.constantFrom(1024, 2048),
    totalMemoryMib: fc.constantFrom(512, 2048),
    usedShare: fc.constantFrom(0, 0.25, 0.5, 0.9),
    takenPorts: fc.subarray([...ports]),
    groupTasks: fc.nat(2),
    zone: fc.option(fc.constantFrom(...zones)),
  })
  .map(({ usedShare, takenPorts, groupTasks, zone, ...host }) => ({
    ...host,
    hostId: '',
    cluster: 'default',
    name: '',
    epoch: 1,
    connectedChangedAt: 0,
    generation: 1,
    freeCpuUnits: Math.floor(host.totalCpuUnits * (1 - usedShare)),
    freeMemoryMib: Math.floor(host.totalMemoryMib * (1 - usedShare)),
    ports: Object.fromEntries(takenPorts.map((port) => [port, 'another-task'])),
    groups: groupTasks === 0 ? {} : { web: groupTasks },
    taskCount: groupTasks,
    attributes: zone === null ? {} : { 'ecs.availability-zone': zone },
  }));

export const hostsArbitrary = (maxLength: number): fc.Arbitrary<HostCapacity[]> =>
  fc
    .array(hostArbitrary, { maxLength })
    .map((hosts) => hosts.map((host, index) => ({ ...host, hostId: `id-${index}`, name: `host-${index}` })));

const zonesAllowed = (allowed: readonly string[]) => ({
  type: 'memberOf' as const,
  expression: `attribute:ecs.availability-zone in [${allowed.join(', ')}]`,
});

export const fewTasks = { type: 'memberOf' as const, expression: 'runningTasksCount < 3' };

export const needsArbitrary: fc.Arbitrary<PlacementNeeds> = fc
  .record({
    cpuUnits: fc.constantFrom(0, 128, 512, 2048),
    memoryMib: fc.constantFrom(64, 300, 1024, 4096),
    ports: fc.nat(3).chain((draw) => (draw === 0 ? fc.subarray([...ports]) : fc.constant<HostPort[]>([]))),
    zone: fc.option(fc.constantFrom(...zones), { freq: 2 }),
    distinct: fc.boolean(),
    /** `memberOf` as zones that it allows. */
    allowed: fc.option(fc.subarray([...zones], { minLength: 1 }), { freq: 3 }),
    quiet: fc.nat(5).map((draw) => draw === 0),
    strategies: fc.array(
      fc.constantFrom<PlacementNeeds['strategies'][number]>(
        { type: 'random' },
        { type: 'binpack', field: 'MEMORY' },
        { type: 'binpack', field: 'cpu' },
        { type: 'spread', field: 'instanceId' },
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
      ),
      { maxLength: 3 },
    ),
  })
  .map(({ cpuUnits, memoryMib, ports: needed, zone, distinct, allowed, quiet, strategies }) => ({
    reservation: { cpuUnits, memoryMib, ports: needed },
    attributes: zone === null ? {} : { 'ecs.availability-zone': zone },
    group: 'web',
    constraints: [
      ...(distinct ? [{ type: 'distinctInstance' as const }] : []),
      ...(allowed === null ? [] : [zonesAllowed(allowed)]),
      ...(quiet ? [fewTasks] : []),
    ],
    strategies,
  }));

/** An empty host that fits everything small. */
export const emptyHost = (name: string, changes: Partial<HostCapacity> = {}): HostCapacity => ({
  hostId: `id-of-${name}`,
  cluster: 'default',
  name,
  status: 'ACTIVE',
  epoch: 1,
  reportedEpoch: 1,
  connected: true,
  connectedChangedAt: 0,
  generation: 1,
  totalCpuUnits: 2048,
  totalMemoryMib: 4096,
  freeCpuUnits: 2048,
  freeMemoryMib: 4096,
  ports: {},
  groups: {},
  taskCount: 0,
  attributes: {},
  ...changes,
});

export const plainNeeds = (changes: Partial<PlacementNeeds> = {}): PlacementNeeds => ({
  reservation: { cpuUnits: 256, memoryMib: 512, ports: [] },
  attributes: {},
  group: 'family:web',
  constraints: [],
  strategies: [],
  ...changes,
});
