/**
 * `gantry up`: brings containerd, the control plane and the hosts of one machine up, adopting whatever still runs, and stays as their
 * supervisor until told to end. It ends the control plane and the agents, never containerd or a container.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '../client/client.ts';
import { GantryError } from '../core/errors.ts';
import { type AgentSurroundings, agentProcess, ensureAgent, stopAgent } from './agents.ts';
import { containerdPaths, runningContainerd, startContainerd } from './containerd.ts';
import { writeContext } from './context.ts';
import { deregisterEnded, endFleet } from './fleet/end.ts';
import { setProvider } from './fleet/provider.ts';
import { readLiveHosts } from './fleet/records.ts';
import { ensureHostNetwork } from './host-network.ts';
import { type HostPlan, planHosts } from './host-plan.ts';
import { thisMachine } from './machine.ts';
import { logTail, runningPid } from './managed-process.ts';
import { type CloudOptions, type CloudPaths, cloudPaths } from './options.ts';
import { checkMachine } from './preflight.ts';
import { ensureServer, serverProcess, serverUrl, startServer, stopServer } from './server.ts';
import { type Supervised, supervise } from './supervise.ts';

/** A host registers within a second; longer means that something is wrong with it. */
const connectTimeoutMs = 30_000;

export interface UpEvents {
  /** One line of what happens, for people. */
  readonly say: (line: string) => void;
  /** Everything is up and every host is connected. */
  readonly ready: () => Promise<void> | void;
}

/** Resolves when `signal` has fired and the processes have ended. Also where it throws, neither agents nor control plane are left. */
export async function up(options: CloudOptions, events: UpEvents, signal: AbortSignal): Promise<void> {
  const paths = cloudPaths(options);
  await checkMachine(options, paths);
  const hosts = planHosts(options, thisMachine());
  rmSync(paths.ready, { force: true });
  writeFileSync(paths.supervisorPid, `${process.pid}\n`);
  try {
    const { surroundings, client } = await start(options, hosts, events.say);
    await hostsConnected(client, hosts, paths, signal);
    if (!signal.aborted) await events.ready();
    writeFileSync(paths.ready, '');
    await supervise(processesOf(hosts, surroundings), events.say, signal);
  } finally {
    rmSync(paths.ready, { force: true });
    await Promise.all(hosts.map((host) => stopAgent(paths, host.name)));
    await stopServer(paths);
    // Not before: the control plane would start them again.
    await Promise.all(readLiveHosts(paths.fleet).map(({ instanceId }) => stopAgent(paths, instanceId)));
    rmSync(paths.supervisorPid, { force: true });
  }
}

async function start(
  options: CloudOptions,
  hosts: readonly HostPlan[],
  say: (line: string) => void,
): Promise<{ readonly surroundings: AgentSurroundings; readonly client: Client }> {
  const paths = cloudPaths(options);
  const containerd = await startContainerd(containerdPaths(paths.dataDir, paths.runDir));
  say(`containerd ${containerd.adopted ? 'was running' : 'started'} (pid ${containerd.pid})`);
  const ended = options.fleet === undefined ? await endFleet(options, say) : [];
  const server = await ensureServer(options, paths);
  say(`control plane ${server.adopted ? 'was running' : 'started'} at ${serverUrl(options)}`);
  const client = createClient(writeContext(options, paths));
  await deregisterEnded(client, ended);
  await setProvider(client, options);
  const joinToken = readFileSync(paths.joinToken, 'utf8');
  const surroundings = {
    options,
    paths,
    machine: thisMachine(),
    containerdSocket: containerd.socket,
    controlPlaneUrl: serverUrl(options),
    joinToken,
  };
  for (const host of hosts) {
    await ensureHostNetwork(host);
    const agent = ensureAgent(host, surroundings);
    say(`${host.name} ${agent.adopted ? 'was running' : 'started'} (agent pid ${agent.pid})`);
  }
  if (options.fleet !== undefined) say(fleetLine(options.fleet, readLiveHosts(paths.fleet).length));
  return { surroundings, client };
}

const fleetLine = ({ min, max }: NonNullable<CloudOptions['fleet']>, there: number): string =>
  `hosts come and go with the tasks that wait, ${min} to ${max} of them (${there} there now)`;

/** Returns early when the signal fires. Throws an Error with the agent's log when a host does not connect. */
async function hostsConnected(
  client: Client,
  hosts: readonly HostPlan[],
  paths: CloudPaths,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + connectTimeoutMs;
  for (const host of hosts) {
    while (!signal.aborted && !(await isConnected(client, host.name))) {
      if (Date.now() > deadline || runningPid(agentProcess(paths, host.name)) === undefined)
        throw new Error(`${host.name} does not connect to the control plane.\n${logTail(paths.agentLog(host.name))}`);
      await delay(50);
    }
  }
}

async function isConnected(client: Client, hostName: string): Promise<boolean> {
  try {
    const { host } = await client.call('GetHost', { host: hostName });
    return host.status === 'ACTIVE' && host.agentConnected;
  } catch (error) {
    if (error instanceof GantryError && error.code === 'ResourceNotFoundException') return false; // Not registered yet.
    throw error;
  }
}

/** What `gantry up` keeps alive, in the order in which the one needs the other. */
function processesOf(hosts: readonly HostPlan[], surroundings: AgentSurroundings): Supervised[] {
  const { options, paths } = surroundings;
  const containerd = containerdPaths(paths.dataDir, paths.runDir);
  return [
    {
      what: 'containerd',
      logFile: containerd.logFile,
      isRunning: () => runningContainerd(containerd) !== undefined,
      start: () => startContainerd(containerd),
    },
    {
      what: 'the control plane',
      logFile: paths.serverLog,
      isRunning: () => runningPid(serverProcess(paths)) !== undefined,
      start: () => startServer(options, paths),
    },
    ...hosts.map((host) => ({
      what: `the agent of ${host.name}`,
      logFile: paths.agentLog(host.name),
      isRunning: () => runningPid(agentProcess(paths, host.name)) !== undefined,
      start: () => ensureAgent(host, surroundings),
    })),
  ];
}
