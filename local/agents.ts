/** The agents of a cloud's hosts as processes: their configuration, start and end. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AgentConfigFile, type NetworkConfig, type RuntimeConfig, runtimeConfigSchema } from '../agent/config.ts';
import { netnsPath } from '../agent/network/names.ts';
import { defaultClusterName } from '../core/model/cluster.ts';
import { hostPort } from '../core/model/resources.ts';
import { agentCommand } from './agent-command.ts';
import type { HostPlan } from './host-plan.ts';
import type { Machine } from './machine.ts';
import { type ManagedProcess, runningPid, startManaged, stopManaged } from './managed-process.ts';
import type { CloudOptions, CloudPaths } from './options.ts';
import { serverAuthority } from './server.ts';

export interface AgentSurroundings {
  /** The default one where absent. */
  readonly cluster?: string;
  /** Beside those that every host has. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly options: CloudOptions;
  readonly paths: CloudPaths;
  readonly machine: Machine;
  readonly containerdSocket: string;
  /** Where agents reach it. */
  readonly controlPlaneUrl: string;
  readonly joinToken: string;
}

export const agentProcess = (paths: CloudPaths, hostName: string): ManagedProcess => ({
  pidFile: paths.agentPid(hostName),
  marker: paths.agentConfig(hostName),
});

/** Starts the host's agent, or leaves the one alone that still runs. */
export function ensureAgent(host: HostPlan, surroundings: AgentSurroundings): { pid: number; adopted: boolean } {
  return ensureAgentOf(host.name, surroundings.paths, { config: agentConfig(host, surroundings) });
}

/** The same with a configuration of the caller's own, and with more in its environment than every agent has. */
export function ensureAgentOf(
  hostName: string,
  paths: CloudPaths,
  { config, env }: { readonly config: object; readonly env?: NodeJS.ProcessEnv },
): { pid: number; adopted: boolean } {
  const process_ = agentProcess(paths, hostName);
  const running = runningPid(process_);
  if (running !== undefined) return { pid: running, adopted: true };
  mkdirSync(paths.hostData(hostName), { recursive: true, mode: 0o700 });
  writeFileSync(paths.agentConfig(hostName), JSON.stringify(config, null, 2), { mode: 0o600 });
  const pid = startManaged({
    ...process_,
    ...agentCommand(paths.agentConfig(hostName), env),
    logFile: paths.agentLog(hostName),
  });
  return { pid, adopted: false };
}

export const stopAgent = (paths: CloudPaths, hostName: string): Promise<void> =>
  stopManaged(agentProcess(paths, hostName));

function agentConfig(host: HostPlan, surroundings: AgentSurroundings) {
  const { options, paths, machine, containerdSocket, controlPlaneUrl, joinToken } = surroundings;
  const certificateAuthority = serverAuthority(options, paths);
  return {
    controlPlaneUrl,
    ...(certificateAuthority !== undefined && { certificateAuthority }),
    joinToken,
    cluster: surroundings.cluster ?? defaultClusterName,
    hostName: host.name,
    address: host.address,
    cpuUnits: host.cpuUnits,
    memoryMib: host.memoryMib,
    attributes: {
      'ecs.os-type': 'linux',
      'ecs.cpu-architecture': machine.cpuArchitecture,
      'ecs.availability-zone': host.availabilityZone,
      ...surroundings.attributes,
    },
    // The control plane listens there itself: a task that wants the port is told so before it is placed.
    reservedPorts: host.networkNamespace === undefined ? [hostPort('tcp', options.port)] : [],
    dataDirectory: paths.hostData(host.name),
    runtime: {
      ...runtimeConfigOf(host, paths, containerdSocket),
      registryMirrors: options.registryMirrors,
      images: { pullBehavior: options.imagePullBehavior },
    },
  } satisfies AgentConfigFile;
}

/** What the host's agent is told of its runtime. */
export const runtimeConfigOf = (host: HostPlan, paths: CloudPaths, containerdSocket: string): RuntimeConfig =>
  runtimeConfigSchema.parse({
    socket: containerdSocket,
    namespace: host.containerdNamespace,
    runtimeRoot: paths.runcRoot(host.name),
    stateDirectory: `${paths.hostData(host.name)}/runtime`,
    cgroupParent: host.cgroupParent,
    network: networkConfigOf(host),
  });

export const networkConfigOf = (host: HostPlan): NetworkConfig => ({
  ...(host.networkNamespace && { netns: netnsPath(host.networkNamespace.name) }),
  bridge: host.taskBridge,
  subnet: host.taskSubnet,
  chainPrefix: host.chainPrefix,
  hostAddress: host.address,
});
