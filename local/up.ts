/**
 * `gantry up`: brings containerd, the control plane and the hosts of one machine up, adopting whatever still runs, and stays as their
 * supervisor until told to end. It ends the control plane and the agents, never containerd or a container.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { agentProcess, type AgentSurroundings, ensureAgent, stopAgent } from './agents.ts';
import { containerdPaths, startContainerd } from './containerd.ts';
import { writeContext } from './context.ts';
import { ensureHostNetwork } from './host-network.ts';
import { type HostPlan, planHosts } from './host-plan.ts';
import { thisMachine } from './machine.ts';
import { runningPid } from './managed-process.ts';
import { type CloudOptions, cloudPaths } from './options.ts';
import { checkMachine } from './preflight.ts';
import { ensureServer, readServerConfig, type ServerConfig, serverProcess, startServer, stopServer } from './server.ts';

/** How often the supervisor looks whether its processes live. */
const supervisionIntervalMs = 500;

export interface UpEvents {
  /** One line of what happens, for people. */
  readonly say: (line: string) => void;
  /** Everything is up and every host is connected. */
  readonly ready: () => Promise<void> | void;
}

/** Resolves when `signal` has fired and the processes have ended. */
export async function up(options: CloudOptions, events: UpEvents, signal: AbortSignal): Promise<void> {
  const paths = cloudPaths(options);
  await checkMachine(options, paths);
  const machine = thisMachine();
  writeFileSync(paths.supervisorPid, `${process.pid}\n`);

  const containerd = await startContainerd(containerdPaths(paths.dataDir, paths.runDir));
  events.say(`containerd ${containerd.adopted ? 'was running' : 'started'} (pid ${containerd.pid})`);

  const config: ServerConfig = { options, joinToken: randomBytes(24).toString('base64url') };
  const server = await ensureServer(config, paths);
  const joinToken = readServerConfig(paths)?.joinToken ?? config.joinToken;
  const context = writeContext(options, paths);
  events.say(`control plane ${server.adopted ? 'was running' : 'started'} at ${context.endpoint}`);

  const hosts = planHosts(options, machine);
  const surroundings = { options, paths, machine, containerdSocket: containerd.socket, joinToken };
  for (const host of hosts) {
    await ensureHostNetwork(host);
    const agent = ensureAgent(host, surroundings);
    events.say(`${host.name} ${agent.adopted ? 'was running' : 'started'} (agent pid ${agent.pid})`);
  }
  await events.ready();
  await supervise(hosts, { ...surroundings, joinToken }, { ...config, joinToken }, events, signal);

  await Promise.all(hosts.map((host) => stopAgent(paths, host.name)));
  await stopServer(paths);
  rmSync(paths.supervisorPid, { force: true });
}

/** Starts again whatever has died, until the signal fires. */
async function supervise(
  hosts: readonly HostPlan[],
  surroundings: AgentSurroundings,
  config: ServerConfig,
  events: UpEvents,
  signal: AbortSignal,
): Promise<void> {
  const { paths } = surroundings;
  while (!signal.aborted) {
    if (runningPid(serverProcess(paths)) === undefined) {
      events.say(`the control plane ended; starting it again (its log: ${paths.serverLog})`);
      startServer(config, paths);
    }
    for (const host of hosts) {
      if (runningPid(agentProcess(paths, host.name)) !== undefined) continue;
      events.say(`the agent of ${host.name} ended; starting it again (its log: ${paths.agentLog(host.name)})`);
      ensureAgent(host, surroundings);
    }
    await delay(supervisionIntervalMs, undefined, { signal }).catch(() => {}); // Woken early: the loop ends.
  }
}
