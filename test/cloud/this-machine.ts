/**
 * The AWS shape on loopback with hosts of this machine: the one-machine cloud's own containerd, networks and agents, which join by a
 * token made through the API and are supervised here. The minute of the schedule is shorter, so that a test need not wait for it.
 */
import { join } from 'node:path';
import { type AgentSurroundings, agentProcess, ensureAgent, stopAgent } from '../../local/agents.ts';
import { containerdPaths, runningContainerd, startContainerd } from '../../local/containerd.ts';
import { removeHosts } from '../../local/down.ts';
import { ensureHostNetwork } from '../../local/host-network.ts';
import { type HostPlan, planHosts } from '../../local/host-plan.ts';
import { thisMachine } from '../../local/machine.ts';
import { runningPid } from '../../local/managed-process.ts';
import { stopAllTasks } from '../../local/stop-tasks.ts';
import { supervise } from '../../local/supervise.ts';
import type { Cloud, CloudOptions } from '../e2e/cloud.ts';
import { killHard } from '../e2e/one-machine.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { makePlace } from './machine-place.ts';
import { connected } from './test-host.ts';

const sweepEveryMs = 5_000;

/** The cloud, and the platform below it for tests that change that. */
export interface AwsOnThisMachine extends Cloud {
  readonly aws: AwsCloud;
}

export async function startAwsOnThisMachine({ hosts: count }: CloudOptions): Promise<AwsOnThisMachine> {
  await using started = new AsyncDisposableStack();
  const aws = started.use(await startAwsCloud());
  const sweeps = setInterval(() => void aws.sweep(), sweepEveryMs);
  started.defer(() => clearInterval(sweeps));
  const fleet = started.use(await startFleet(aws, count));
  const credentials = await aws.wireKey();
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: aws.region,
    AWS_DEFAULT_REGION: aws.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const all = started.move();
  return {
    aws,
    name: fleet.name,
    dataDir: fleet.dataDir,
    runDir: fleet.runDir,
    endpoint: aws.wireEndpoint,
    credentials,
    env,
    client: aws.client,
    kill: (victim) =>
      victim === 'control-plane' ? aws.killFunctions() : killHard(join(fleet.runDir, `${victim}.pid`)),
    down: () => fleet.down(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Fleet extends AsyncDisposable {
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
  down(): Promise<void>;
}

async function startFleet(aws: AwsCloud, count: number): Promise<Fleet> {
  const place = makePlace(aws.region, count);
  const { options, paths } = place;
  const hosts = planHosts(options, thisMachine());
  const ended = new AbortController();
  let supervised: Promise<void> | undefined;

  async function down(): Promise<void> {
    if (!ended.signal.aborted) await stopAllTasks(aws.client, () => {});
    ended.abort();
    await supervised;
    await Promise.all(hosts.map((host) => stopAgent(paths, host.name)));
    await removeHosts(hosts, options, paths);
  }

  async function purge(): Promise<void> {
    await down();
    place[Symbol.dispose]();
  }

  try {
    const surroundings: AgentSurroundings = {
      options,
      paths,
      machine: thisMachine(),
      containerdSocket: await place.containerd(),
      controlPlaneUrl: aws.endpoint,
      joinToken: await aws.joinToken(),
    };
    for (const host of hosts) await ensureHostNetwork(host);
    supervised = superviseHosts(hosts, surroundings, ended.signal);
    for (const host of hosts) await connected(aws, host.name);
  } catch (error) {
    await purge();
    throw error;
  }
  return { name: options.name, dataDir: paths.dataDir, runDir: paths.runDir, down, [Symbol.asyncDispose]: purge };
}

/** They are started again soon: the tests kill them often. */
const pace = { lookIntervalMs: 100, stableMs: 0, firstPauseMs: 0, longestPauseMs: 0 };

function superviseHosts(
  hosts: readonly HostPlan[],
  surroundings: AgentSurroundings,
  signal: AbortSignal,
): Promise<void> {
  const { paths } = surroundings;
  for (const host of hosts) ensureAgent(host, surroundings);
  const agents = hosts.map((host) => ({
    what: `the agent of ${host.name}`,
    logFile: paths.agentLog(host.name),
    isRunning: () => runningPid(agentProcess(paths, host.name)) !== undefined,
    start: () => ensureAgent(host, surroundings),
  }));
  const containerd = containerdPaths(paths.dataDir, paths.runDir);
  const daemon = {
    what: 'containerd',
    logFile: containerd.logFile,
    isRunning: () => runningContainerd(containerd) !== undefined,
    start: () => startContainerd(containerd),
  };
  return supervise([daemon, ...agents], () => {}, signal, pace);
}
