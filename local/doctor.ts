/** `gantry doctor`: whether this machine can be a cloud, and how the one that is on it does. Changes nothing. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { detectCgroups } from '../agent/cgroups/cgroups.ts';
import { agentProcess } from './agents.ts';
import { containerdPaths, findExecutable, hostToolsPath, runningContainerd } from './containerd.ts';
import { readLiveHosts } from './fleet/records.ts';
import { planHosts } from './host-plan.ts';
import { thisMachine } from './machine.ts';
import { runningPid } from './managed-process.ts';
import { type CloudOptions, type CloudPaths, cloudPaths } from './options.ts';
import { neededDiskMib, neededTools } from './preflight.ts';
import { isHealthy, readOptions, serverUrl } from './server.ts';

export interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only where it is not ok. */
  readonly advice?: string;
}

const run = promisify(execFile);

export async function examine(options: CloudOptions): Promise<Finding[]> {
  const paths = cloudPaths(options);
  const system = platform() === 'linux';
  const findings = [finding('system', system, `${platform()} on ${arch()}`, 'Gantry runs containers on Linux.')];
  if (!system) return findings;
  const root = process.getuid?.() === 0;
  return [
    ...findings,
    finding('root', root, root ? 'yes' : 'no', 'Run it with sudo.'),
    ...neededTools.map(toolFinding),
    cgroupFinding(),
    overlayFinding(),
    await firewallFinding(),
    diskFinding(paths),
    ...(await cloudFindings(paths)),
  ];
}

const finding = (subject: string, ok: boolean, detail: string, advice: string): Finding => ({
  subject,
  ok,
  detail,
  ...(!ok && { advice }),
});

function toolFinding(name: string): Finding {
  const path = findExecutable(name);
  return finding(
    name,
    path !== undefined,
    path ?? 'not found',
    'Install it, or run `npm run quickstart` in a clone of Gantry, which brings what is missing.',
  );
}

function cgroupFinding(): Finding {
  try {
    return finding('control groups', true, `version ${detectCgroups().version}`, '');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return finding('control groups', false, detail, 'Mount cgroup2 at /sys/fs/cgroup.');
  }
}

function overlayFinding(): Finding {
  const known = /\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'));
  return finding(
    'overlayfs',
    known,
    known ? 'the kernel has it' : 'the kernel does not list it',
    'Try `modprobe overlay`.',
  );
}

async function firewallFinding(): Promise<Finding> {
  const iptables = findExecutable('iptables');
  try {
    if (iptables === undefined) throw new Error('iptables was not found');
    const { stdout } = await run(iptables, ['--version'], { env: { PATH: hostToolsPath() } });
    return finding('firewall', true, stdout.trim(), '');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return finding('firewall', false, detail, 'Published ports need iptables: install the package iptables.');
  }
}

function diskFinding({ dataDir }: CloudPaths): Finding {
  let directory = dataDir;
  while (!existsSync(directory)) directory = dirname(directory);
  const { bavail, bsize } = statfsSync(directory);
  const freeMib = Math.floor((bavail * bsize) / 1024 ** 2);
  return finding(
    'disk',
    freeMib >= neededDiskMib,
    `${freeMib} MiB free for ${dataDir}`,
    'Free some space, or use --data.',
  );
}

/** Nothing where no cloud was brought up here. */
async function cloudFindings(paths: CloudPaths): Promise<Finding[]> {
  const options = readOptions(paths);
  if (options === undefined) return [finding('cloud', true, 'none is up here; `gantry up` starts one', '')];
  const again = 'Run `gantry up`: it starts what is missing and leaves alone what runs.';
  const containerd = runningContainerd(containerdPaths(paths.dataDir, paths.runDir));
  const healthy = await isHealthy(options);
  return [
    finding('containerd', containerd !== undefined, processDetail(containerd), again),
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
