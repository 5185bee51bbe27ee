/**
 * `gantry down`: stops every task, then agents, control plane and containerd, and takes away networks, cgroups and mounts. The data
 * stay, unless they are purged. Works from whatever state a cloud was left in, also one whose supervisor was killed.
 */
import { readFileSync, rmSync } from 'node:fs';
import { detectCgroups } from '../agent/cgroups/cgroups.ts';
import { removeMachineBridge } from '../agent/network/host-namespace.ts';
import { createClient } from '../client/client.ts';
import { ensureAgent, stopAgent } from './agents.ts';
import { containerdPaths, runningContainerd, startContainerd, stopContainerd } from './containerd.ts';
import { writeContext } from './context.ts';
import { planOf } from './fleet/hosts.ts';
import { readLiveHosts } from './fleet/records.ts';
import { ensureHostNetwork, removeNetworks } from './host-network.ts';
import { type HostPlan, machineBridge, planHosts } from './host-plan.ts';
import { stopRegistry } from './images/registry.ts';
import { type Machine, thisMachine } from './machine.ts';
import { stopManaged } from './managed-process.ts';
import { unmountBelow } from './mounts.ts';
import { type CloudOptions, type CloudPaths, cloudPaths } from './options.ts';
import { supervisorProcess } from './preflight.ts';
import { ensureServer, readOptions, serverUrl, stopServer } from './server.ts';
import { stopAllTasks } from './stop-tasks.ts';

/** The supervisor waits for its agents and the control plane. */
const supervisorEndMs = 30_000;

export interface DownOptions extends Pick<CloudOptions, 'dataDir' | 'runDir'> {
  readonly purge: boolean;
}

export async function down({ dataDir, runDir, purge }: DownOptions, say: (line: string) => void): Promise<void> {
  const paths = cloudPaths({ dataDir, runDir });
  await stopManaged(supervisorProcess(paths), supervisorEndMs);
  const options = readOptions(paths);
  if (options === undefined) say(`no cloud was up in ${runDir}`);
  else await takeDown(options, paths, say);
  rmSync(runDir, { recursive: true, force: true });
  if (!purge) return;
  rmSync(dataDir, { recursive: true, force: true });
  say(`removed ${dataDir}`);
}

async function takeDown(options: CloudOptions, paths: CloudPaths, say: (line: string) => void): Promise<void> {
  const machine = thisMachine();
  const hosts = planHosts(options, machine);
  const containerd = containerdPaths(paths.dataDir, paths.runDir);
  if (runningContainerd(containerd) !== undefined) await stopTasks(options, paths, hosts, machine, say);
  await Promise.all(hosts.map((host) => stopAgent(paths, host.name)));
  await stopServer(paths);
  // Until now the control plane launched them and kept them.
  const launched = launchedPlans(options, paths, say);
  await Promise.all(launched.map((host) => stopAgent(paths, host.name)));
  await removeHosts([...hosts, ...launched], options, paths);
  await stopRegistry(paths.registry);
  say('stopped agents, control plane and containerd; removed networks, cgroups and mounts');
}

/** Where the records cannot be read, what launched hosts have in common is taken away all the same. */
function launchedPlans(options: CloudOptions, paths: CloudPaths, say: (line: string) => void): HostPlan[] {
  try {
    return readLiveHosts(paths.fleet).map((host) => planOf(host, options));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return [];
  }
}

/** What hosts are on this machine beside their agents: containerd, and with it every container; networks, cgroups and mounts. */
export async function removeHosts(
  hosts: readonly HostPlan[],
  { name }: CloudOptions,
  paths: CloudPaths,
): Promise<void> {
  // What an unreachable control plane or agent left running is in these groups: removing them ends it.
  await detectCgroups().removeGroup(`/${name}`);
  await stopContainerd(containerdPaths(paths.dataDir, paths.runDir));
  await removeNetworks(hosts);
  await removeMachineBridge(machineBridge(name));
  unmountBelow([paths.runDir, paths.dataDir]);
}

/**
 * Through the API, so that every task ends as a stopped task with its story. Control plane and agents are started where they are
 * not running: after Ctrl-C only the containers are. A cloud too broken for that is still taken down.
 */
async function stopTasks(
  options: CloudOptions,
  paths: CloudPaths,
  hosts: readonly HostPlan[],
  machine: Machine,
  say: (line: string) => void,
): Promise<void> {
  try {
    const { socket } = await startContainerd(containerdPaths(paths.dataDir, paths.runDir));
    await ensureServer(options, paths);
    const joinToken = readFileSync(paths.joinToken, 'utf8');
    for (const host of hosts) {
      await ensureHostNetwork(host);
      const controlPlaneUrl = serverUrl(options);
      ensureAgent(host, { options, paths, machine, containerdSocket: socket, controlPlaneUrl, joinToken });
    }
    await stopAllTasks(createClient(writeContext(options, paths)), say);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`the tasks could not be stopped in good order (${why}); ending them`);
  }
}
