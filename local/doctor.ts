/** `gantry doctor`: whether this machine can be a cloud or a host, and how the one that is on it does. Changes nothing. */
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { agentProcess } from './agents.ts';
import { containerdPaths, runningContainerd } from './containerd.ts';
import { diskFindings } from './doctor/disk.ts';
import { engineFindings, socketFinding } from './doctor/engine.ts';
import { type Finding, finding } from './doctor/finding.ts';
import { firewallFindings } from './doctor/firewall.ts';
import { joinedFindings } from './doctor/joined.ts';
import { kernelFindings } from './doctor/kernel.ts';
import { readLiveHosts } from './fleet/records.ts';
import { planHosts } from './host-plan.ts';
import { thisMachine } from './machine.ts';
import { runningPid } from './managed-process.ts';
import { type CloudOptions, type CloudPaths, cloudPaths } from './options.ts';
import { isHealthy, readOptions, serverUrl } from './server.ts';

export async function examine(options: CloudOptions): Promise<Finding[]> {
  const paths = cloudPaths(options);
  const system = platform() === 'linux';
  const findings = [finding('system', system, `${platform()} on ${arch()}`, 'Gantry runs containers on Linux.')];
  if (!system) return findings;
  const root = process.getuid?.() === 0;
  const joined = await joinedFindings(options);
  return [
    ...findings,
    finding('root', root, root ? 'yes' : 'no', 'Run it with sudo.'),
    ...(await engineFindings()),
    ...kernelFindings(),
    ...(root ? await firewallFindings() : []),
    ...diskFindings(options),
    ...(joined.length > 0 ? joined : await cloudFindings(options, paths)),
  ];
}

/** Nothing where no cloud was brought up here. */
async function cloudFindings(wanted: CloudOptions, paths: CloudPaths): Promise<Finding[]> {
  const options = readOptions(paths);
  if (options === undefined)
    return [finding('cloud', true, 'none is up here; `gantry up` starts one', ''), await portFinding(wanted)];
  const again = 'Run `gantry up`: it starts what is missing and leaves alone what runs.';
  const containerd = runningContainerd(containerdPaths(paths.dataDir, paths.runDir));
  const healthy = await isHealthy(options);
  return [
    finding('containerd of the cloud', containerd !== undefined, processDetail(containerd), again),
    ...(containerd === undefined
      ? []
      : [await socketFinding(containerdPaths(paths.dataDir, paths.runDir).socket, again)]),
    finding('control plane', healthy, `${serverUrl(options)} ${healthy ? 'answers' : 'does not answer'}`, again),
    ...planHosts(options, thisMachine()).map(({ name }) => agentFinding(paths, name, again)),
    ...fleetFindings(options, paths, again),
  ];
}

function agentFinding(paths: CloudPaths, host: string, advice: string): Finding {
  const pid = runningPid(agentProcess(paths, host));
  return finding(`agent of ${host}`, pid !== undefined, processDetail(pid), advice);
}

/** A host that is being made or taken away has no agent, and nothing is wrong with it. */
function fleetFindings({ fleet }: CloudOptions, paths: CloudPaths, advice: string): Finding[] {
  if (fleet === undefined) return [];
  const hosts = readLiveHosts(paths.fleet);
  const there = hosts.filter(({ state }) => state === 'running');
  const moving = hosts.length - there.length;
  const detail = `${fleet.min}..${fleet.max} hosts; ${there.length} there${moving > 0 ? `, ${moving} coming or going` : ''}`;
  return [finding('fleet', true, detail, ''), ...there.map((host) => agentFinding(paths, host.instanceId, advice))];
}

const processDetail = (pid: number | undefined): string => (pid === undefined ? 'not running' : `running (pid ${pid})`);

/** Where `gantry up` would listen. */
async function portFinding({ listen, port }: CloudOptions): Promise<Finding> {
  const isFree = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: listen, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
  const detail = `${port} of ${listen} is ${isFree ? 'free' : 'in use'}`;
  return finding(
    'port',
    isFree,
    detail,
    'End the program that listens there, or choose another port: `gantry up --port`.',
  );
}
