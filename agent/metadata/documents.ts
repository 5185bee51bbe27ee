/**
 * The JSON of ECS' task metadata endpoint, version 4, made of what the ledger knows of a task. Pure. Members that ECS leaves out where it
 * has nothing to say are left out here too.
 */
import { hash } from 'node:crypto';
import { compact } from '../../core/compact.ts';
import { containerSpan, hostSpan, portsOf } from '../../core/model/port-span.ts';
import type { NetworkBinding } from '../../core/model/task.ts';
import type { ContainerSpec } from '../../core/model/task-spec.ts';
import type { LedgerContainer, LedgerTask } from '../../core/plan/ledger.ts';

export interface Place {
  readonly availabilityZone: string | undefined;
  /** At which published ports are reached: that of a container in host mode too. */
  readonly hostAddress: string;
  /** By container, of those that have an address of their own. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Of a container and of a task, in the order in which they are reached. */
const statuses = ['NONE', 'PULLED', 'CREATED', 'RUNNING', 'STOPPED'] as const;
type Status = (typeof statuses)[number];

export function taskDocument(task: LedgerTask, place: Place) {
  const { spec } = task;
  const { cpuUnits, memoryMib } = spec;
  const limits = compact({ CPU: cpuUnits === undefined ? undefined : cpuUnits / 1024, Memory: memoryMib });
  return compact({
    Cluster: spec.cluster,
    TaskARN: spec.taskArn,
    Family: spec.family,
    Revision: String(spec.revision),
    DesiredStatus: desiredStatus(task),
    KnownStatus: taskStatus(task),
    Limits: Object.keys(limits).length === 0 ? undefined : limits,
    PullStartedAt: timeOf(task.pullStartedAt),
    PullStoppedAt: timeOf(task.pullStoppedAt),
    AvailabilityZone: place.availabilityZone,
    LaunchType: 'EC2',
    Containers: spec.containers.map(({ name }) => containerDocument(task, name, place)),
  });
}

/** Throws Error where the task has no such container. */
export function containerDocument(task: LedgerTask, name: string, place: Place) {
  const spec = task.spec.containers.find((container) => container.name === name);
  const known = task.containers.find((container) => container.name === name);
  if (spec === undefined || known === undefined) throw new Error(`task ${task.taskId} has no container ${name}`);
  const id = known.runtimeId;
  return compact({
    DockerId: id ?? '',
    Name: name,
    DockerName: id === undefined ? '' : dockerName(task, name, id),
    Image: spec.image,
    ImageID: known.imageDigest ?? '',
    Ports: portsDocument(known.networkBindings),
    Labels: spec.labels,
    DesiredStatus: desiredStatus(task),
    KnownStatus: containerStatus(known),
    ExitCode: known.end?.exitCode,
    Limits: limitsDocument(spec),
    CreatedAt: timeOf(known.createdAt),
    StartedAt: timeOf(known.startedAt),
    FinishedAt: timeOf(known.end?.at),
    Type: 'NORMAL',
    LogDriver: spec.log?.driver ?? 'json-file',
    LogOptions: logOptions(spec, id),
    ContainerARN: containerArnOf(task, name),
    Networks: networksDocument(task, name, place),
  });
}

/** As ECS' agent calls it in Docker. */
export const dockerName = ({ spec }: LedgerTask, name: string, id: string): string =>
  `ecs-${spec.family}-${spec.revision}-${name}-${id.slice(0, 20)}`;

const desiredStatus = ({ desired, stop }: LedgerTask): 'RUNNING' | 'STOPPED' =>
  desired.status === 'STOPPED' || stop !== undefined ? 'STOPPED' : 'RUNNING';

function containerStatus({ end, startedAt, runtimeId, imageDigest }: LedgerContainer): Status {
  if (end !== undefined) return 'STOPPED';
  if (startedAt !== undefined) return 'RUNNING';
  if (runtimeId !== undefined) return 'CREATED';
  return imageDigest === undefined ? 'NONE' : 'PULLED';
}

/** As far as the last of its containers has come. */
function taskStatus(task: LedgerTask): Status {
  const reached = task.containers.map((container) => statuses.indexOf(containerStatus(container)));
  return statuses[Math.min(...reached)] ?? 'NONE';
}

/** Where its lines are read, as ECS tells it. */
function logOptions({ log }: ContainerSpec, id: string | undefined) {
  if (log?.driver !== 'awslogs') return {};
  const stream = log.stream ?? id;
  return compact({ 'awslogs-group': log.group, 'awslogs-region': log.region, 'awslogs-stream': stream });
}

const limitsDocument = ({ cpuUnits, memoryMib }: ContainerSpec) => compact({ CPU: cpuUnits, Memory: memoryMib });

function portsDocument(bindings: readonly NetworkBinding[]) {
  if (bindings.length === 0) return undefined;
  return bindings.flatMap((binding) => {
    const hostPorts = portsOf(hostSpan(binding));
    return portsOf(containerSpan(binding)).map((port, index) =>
      compact({ ContainerPort: port, Protocol: binding.protocol, HostPort: hostPorts[index], HostIp: binding.bindIP }),
    );
  });
}

function networksDocument({ spec }: LedgerTask, name: string, { addresses, hostAddress }: Place) {
  if (spec.networkMode === 'none') return undefined;
  const address = spec.networkMode === 'host' ? hostAddress : addresses[name];
  return [{ NetworkMode: spec.networkMode, IPv4Addresses: address === undefined ? [] : [address] }];
}

/** As the API names it: from the task's ARN, and an id in the form of a UUID that follows from task and name (control/…/task-view.ts). */
function containerArnOf({ taskId, spec: { taskArn } }: LedgerTask, name: string): string {
  const id = hash('sha256', `${taskId}/${name}`);
  const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-');
  return `${taskArn.replace(':task/', ':container/')}/${uuid}`;
}

const timeOf = (epochMs: number | undefined): string | undefined =>
  epochMs === undefined ? undefined : new Date(epochMs).toISOString();
