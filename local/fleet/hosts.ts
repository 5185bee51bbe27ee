/**
 * Launched hosts on the machine: makes one of its record, and takes one away until nothing of it is left but the images in its slot, which
 * the next one there need not pull. Both may be repeated at every point. Knows nothing of when.
 */
import { rmSync } from 'node:fs';
import type { Logger } from 'pino';
import { detectCgroups } from '../../agent/cgroups/cgroups.ts';
import type { RuntimeConfig } from '../../agent/config.ts';
import { removeMachineBridge } from '../../agent/network/host-namespace.ts';
import { providerAttribute } from '../../core/model/capacity.ts';
import { type AgentSurroundings, agentProcess, ensureAgent, runtimeConfigOf, stopAgent } from '../agents.ts';
import { containerdPaths } from '../containerd.ts';
import { ensureHostNetwork, removeNetworks } from '../host-network.ts';
import { type HostPlan, machineBridge, separateHost } from '../host-plan.ts';
import type { Machine } from '../machine.ts';
import { runningPid } from '../managed-process.ts';
import { unmountBelow } from '../mounts.ts';
import type { CloudOptions, CloudPaths } from '../options.ts';
import { serverUrl } from '../server.ts';
import type { LiveHost } from './records.ts';

export interface HostSurroundings {
  readonly options: CloudOptions;
  readonly paths: CloudPaths;
  readonly machine: Machine;
  readonly log: Logger;
}

export const planOf = (host: LiveHost, options: CloudOptions): HostPlan =>
  separateHost(options, {
    name: host.instanceId,
    label: `slot-${host.slot}`,
    number: host.slot,
    zone: host.zone,
    share: { cpuUnits: host.cpuUnits, memoryMib: host.memoryMib },
  });

export const agentRuns = ({ instanceId }: LiveHost, { paths }: Pick<HostSurroundings, 'paths'>): boolean =>
  runningPid(agentProcess(paths, instanceId)) !== undefined;

export class LaunchedHosts {
  readonly #surroundings: HostSurroundings;
  /** Hosts share a bridge, which is made for the first and goes with the last: one at a time is at it. */
  #network: Promise<unknown> = Promise.resolve();

  constructor(surroundings: HostSurroundings) {
    this.#surroundings = surroundings;
  }

  async start(host: LiveHost, joinToken: string): Promise<void> {
    ensureAgent(await this.prepare(host), this.#agentSurroundings(host, joinToken));
  }

  /** What is there of it before its agent is. */
  async prepare(host: LiveHost): Promise<HostPlan> {
    const plan = planOf(host, this.#surroundings.options);
    await this.#atNetwork(() => ensureHostNetwork(plan));
    return plan;
  }

  /** `ended` is called once nothing is left, and before another host is given anything; `isLast` is asked then. */
  async takeAway(host: LiveHost, isLast: () => boolean, ended: () => Promise<void>): Promise<void> {
    const { options, paths } = this.#surroundings;
    const plan = planOf(host, options);
    await stopAgent(paths, plan.name);
    await this.#atNetwork(() => ensureHostNetwork(plan)); // Without it there is no taking apart what is in it.
    await this.#removeTasks(runtimeConfigOf(plan, paths, containerdPaths(paths.dataDir, paths.runDir).socket));
    await detectCgroups().removeGroup(plan.cgroupParent);
    const files = [paths.hostData(plan.name), paths.runcRoot(plan.name)];
    unmountBelow(files);
    for (const path of [...files, paths.agentConfig(plan.name)]) rmSync(path, { recursive: true, force: true });
    await this.#atNetwork(async () => {
      await removeNetworks([plan]);
      if (isLast()) {
        await removeMachineBridge(machineBridge(options.name));
        await detectCgroups().removeGroup(`/${options.name}`);
      }
      await ended();
    });
  }

  /** As its agent would: containers that still run are killed. */
  async #removeTasks(config: RuntimeConfig): Promise<void> {
    // Seldom needed, and large: a control plane without a fleet does not load it.
    const { createContainerdRuntime } = await import('../../agent/containerd/runtime.ts');
    const runtime = await createContainerdRuntime(config, { log: this.#surroundings.log });
    try {
      for (const { taskId } of await runtime.inventory()) await runtime.removeTask(taskId);
    } finally {
      await runtime.close();
    }
  }

  #agentSurroundings({ cluster, provider }: LiveHost, joinToken: string): AgentSurroundings {
    const { options, paths, machine } = this.#surroundings;
    return {
      options,
      paths,
      machine,
      containerdSocket: containerdPaths(paths.dataDir, paths.runDir).socket,
      controlPlaneUrl: serverUrl(options),
      joinToken,
      cluster,
      // By which tasks under its strategy find it.
      attributes: { [providerAttribute]: provider },
    };
  }

  #atNetwork<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#network.then(work);
    this.#network = done.catch(() => {}); // Its caller has the failure.
    return done;
  }
}
