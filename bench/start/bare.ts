/**
 * The bare containerd calls: what it takes to start Gantry's container, made directly with the agent's own code and nothing else. No
 * control plane, no ledger, no records, no loop; network, control group and log files are made at the same time, as the agent does it.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { type Cgroups, detectCgroups, taskLimits } from '../../agent/cgroups/cgroups.ts';
import { cgroupMounts } from '../../agent/cgroups/mounts.ts';
import type { NetworkConfig } from '../../agent/config.ts';
import { connect, type NamespacedContainerd } from '../../agent/containerd/client.ts';
import { machineFacts } from '../../agent/containerd/runtime-builder.ts';
import { createRecord, removeRecord } from '../../agent/containerd/runtime-containers.ts';
import { containerCgroup, runtimeIdOf, taskCgroup } from '../../agent/containerd/runtime-naming.ts';
import { createProcess, deleteProcess, signalProcess, startProcess } from '../../agent/containerd/runtime-processes.ts';
import type { LocalImage } from '../../agent/images/image-store.ts';
import { ImagePuller } from '../../agent/images/puller.ts';
import { LogStore } from '../../agent/logs/log-store.ts';
import { parseSubnet } from '../../agent/network/addresses.ts';
import { writeEtcFiles } from '../../agent/network/etc-files.ts';
import { openHostMode } from '../../agent/network/host-mode.ts';
import { removeHostNetwork } from '../../agent/network/host-network.ts';
import { TaskNetworks } from '../../agent/network/task-network.ts';
import { type MachineFacts, makeSpec } from '../../agent/oci/spec.ts';
import { taskArn } from '../../core/arn.ts';
import type { TaskSpec } from '../../core/model/task-spec.ts';
import { resolveSpec } from '../../core/task/spec.ts';
import { type Contender, commandNames, type StartedContainer } from './contender.ts';
import { type BenchDefinition, containerName } from './definition.ts';
import { comparableSpecification } from './specification.ts';

export interface BareOptions {
  readonly socket: string;
  /** containerd's, which also begins the names of network namespaces. */
  readonly namespace: string;
  readonly cgroupParent: string;
  readonly network: NetworkConfig;
  /** For logs, records and what is mounted into containers; whoever made it removes it. */
  readonly directory: string;
  readonly runtimeRoot: string;
  /** What Gantry runs. */
  readonly definition: BenchDefinition;
}

interface Bare extends BareOptions {
  readonly containerd: NamespacedContainerd;
  readonly cgroups: Cgroups;
  readonly networks: TaskNetworks;
  readonly logs: LogStore;
  readonly machine: MachineFacts;
  readonly image: LocalImage;
}

const realm = { region: 'us-east-1', accountId: '000000000000' };

export async function bareContender(options: BareOptions): Promise<Contender> {
  const { namespace, network, directory, cgroupParent } = options;
  const daemon = connect(options.socket);
  const containerd = daemon.withNamespace(namespace);
  const networks = await TaskNetworks.open({
    network,
    owner: namespace,
    directory: join(directory, 'network'),
    now: Date.now,
    warn: () => {},
    hostMode: await openHostMode(
      network.netns,
      cgroupParent,
      cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8')),
    ),
  });
  await networks.makeHost();
  const cgroups = detectCgroups();
  const reference = options.definition.containerDefinitions[0]?.image ?? '';
  const image = await new ImagePuller({ containerd }).pull(reference, { signal: AbortSignal.timeout(60_000) });
  const logs = new LogStore(join(directory, 'logs'));
  const bare: Bare = { ...options, containerd, networks, cgroups, logs, image, machine: machineFacts(cgroups) };
  return {
    name: 'bare',
    means: 'the bare containerd calls with the agent’s own code; running: Tasks.Start has answered',
    callbackAddress: parseSubnet(network.subnet).gateway,
    start: (command) => start(bare, command),
    async [Symbol.asyncDispose]() {
      daemon.close();
      await removeHostNetwork(network);
      await cgroups.removeGroup(cgroupParent);
    },
  };
}

async function start(bare: Bare, command: readonly string[]): Promise<StartedContainer> {
  const { containerd, networks, cgroups, logs, image } = bare;
  const task = taskSpec(bare, command);
  const { taskId } = task;
  const [, , log] = await Promise.all([
    networks.prepare(task),
    cgroups.createGroup(taskCgroup(bare.cgroupParent, taskId), taskLimits(task)),
    logs.create(taskId, containerName),
  ]);
  const id = runtimeIdOf(taskId, containerName);
  const rootfs = await createRecord(containerd, {
    id,
    identity: { taskId, name: containerName, imageDigest: image.digest, stopSignal: 'SIGTERM', attempt: 0 },
    imageName: image.name,
    chainId: image.chainId,
    spec: await specification(bare, task, id),
    runtimeRoot: bare.runtimeRoot,
  });
  await Promise.all([
    createProcess(containerd, { id, rootfs, ...log }),
    endOfTurn().then(() => networks.whole(taskId)),
  ]);
  await startProcess(containerd, id);
  return {
    runningAt: performance.now(),
    specification: () => comparableSpecification(containerd, id, names(bare, taskId, id, command)),
    async stop() {
      await signalProcess(containerd, id, constants.signals.SIGTERM);
      await containerd.tasks.wait({ containerId: id });
    },
    async remove() {
      await deleteProcess(containerd, id);
      await removeRecord(containerd, id);
      await Promise.all([
        networks.remove(taskId),
        cgroups.removeGroup(taskCgroup(bare.cgroupParent, taskId)),
        logs.remove(taskId),
      ]);
    },
  };
}

function taskSpec({ definition }: Bare, command: readonly string[]): TaskSpec {
  const taskId = randomBytes(16).toString('hex');
  const overrides = { containerOverrides: [{ name: containerName, command: [...command] }] };
  const cluster = 'default';
  const revision = { ...definition, revision: 1, registeredAt: 0, registeredBy: '' };
  return resolveSpec(revision, overrides, { taskId, taskArn: taskArn(realm, cluster, taskId), cluster, ...realm });
}

async function specification(bare: Bare, task: TaskSpec, id: string) {
  const { networks, directory, network, image, machine, cgroupParent } = bare;
  const container = task.containers[0];
  const place = networks.placeOf(task.taskId, containerName);
  if (container === undefined || place === undefined) throw new Error('The task has one container in a network.');
  const hostname = id.slice(0, 12);
  const etc = await writeEtcFiles(join(directory, 'tasks', task.taskId, id, 'etc'), {
    hostname,
    address: place.address,
    likeTheMachine: false,
    nameServers: network.nameServers,
  });
  return makeSpec({
    task,
    container,
    image: image.config.config ?? {},
    user: { uid: 0, gid: 0, additionalGids: [] },
    hostname,
    etc,
    network: { kind: 'namespace', path: place.netns },
    metadataUri: networks.metadataUriOf(task.taskId, containerName),
    cgroupsPath: containerCgroup(cgroupParent, task.taskId, id),
    shimGroup: task.taskId,
    machine,
  });
}

const names = (
  { namespace, cgroupParent, directory }: Bare,
  taskId: string,
  id: string,
  command: readonly string[],
) => ({
  ...commandNames(command),
  [taskId]: 'TASK',
  [id]: 'CONTAINER',
  [id.slice(0, 12)]: 'HOSTNAME',
  [namespace]: 'OWNER',
  [cgroupParent]: 'PARENT',
  [directory]: 'STATE',
});
