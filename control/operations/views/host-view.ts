/** A host as clients see it: ECS' container instance. Pure. */
import type { ContainerInstanceView } from '../../../core/api/shapes.ts';
import { containerInstanceArn, type Realm } from '../../../core/arn.ts';
import { type HostCapacity, type HostIdentity, shownHostStatus } from '../../../core/model/host.ts';
import { conditionReason, hostCondition } from '../../../core/model/host-condition.ts';
import type { TaskStatus } from '../../../core/model/task.ts';
import { reservedByHost } from '../../store/host-capacity.ts';

type Resource = ContainerInstanceView['remainingResources'][number];

/** `statuses`: of the tasks of its desired set. */
export function hostView(
  realm: Realm,
  identity: HostIdentity,
  capacity: HostCapacity,
  statuses: readonly TaskStatus[],
): ContainerInstanceView {
  const used = Object.keys(capacity.ports);
  const reserved = used.filter((port) => capacity.ports[port as keyof typeof capacity.ports] === reservedByHost);
  return {
    containerInstanceArn: containerInstanceArn(realm, identity.cluster, identity.hostId),
    ...(identity.instanceId === undefined ? {} : { ec2InstanceId: identity.instanceId }),
    version: identity.version,
    versionInfo: { agentVersion: identity.agentVersion },
    registeredResources: resourcesOf(capacity.totalCpuUnits, capacity.totalMemoryMib, reserved),
    remainingResources: resourcesOf(capacity.freeCpuUnits, capacity.freeMemoryMib, used),
    status: shownHostStatus(capacity),
    ...conditionMembers(capacity),
    agentConnected: capacity.connected,
    agentConnectedChangedAt: new Date(capacity.connectedChangedAt),
    runningTasksCount: statuses.filter((status) => status === 'RUNNING').length,
    pendingTasksCount: statuses.filter((status) => status === 'PENDING').length,
    attributes: Object.entries(capacity.attributes).map(([name, value]) => (value === '' ? { name } : { name, value })),
    attachments: [],
    registeredAt: new Date(identity.registeredAt),
    tags: identity.tags ?? [],
    hostName: identity.name,
    hostAddress: identity.address,
  };
}

function conditionMembers(capacity: HostCapacity): Pick<ContainerInstanceView, 'condition' | 'statusReason'> {
  const condition = hostCondition(capacity);
  return condition === undefined ? {} : { condition, statusReason: conditionReason(capacity, condition) };
}

/** ECS lists the ports in use, not those that are free. */
const resourcesOf = (cpuUnits: number, memoryMib: number, ports: readonly string[]): Resource[] => [
  amount('CPU', cpuUnits),
  amount('MEMORY', memoryMib),
  portSet('PORTS', 'tcp', ports),
  portSet('PORTS_UDP', 'udp', ports),
];

const amount = (name: string, value: number): Resource => ({
  name,
  type: 'INTEGER',
  doubleValue: 0,
  longValue: 0,
  integerValue: value,
});

const portSet = (name: string, protocol: 'tcp' | 'udp', ports: readonly string[]): Resource => ({
  name,
  type: 'STRINGSET',
  doubleValue: 0,
  longValue: 0,
  integerValue: 0,
  stringSetValue: ports
    .filter((port) => port.startsWith(`${protocol}/`))
    .map((port) => port.slice(protocol.length + 1)),
});
