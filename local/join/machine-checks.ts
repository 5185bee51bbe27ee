/** Whether this machine can become a host, asked before anything is changed. Every refusal says what, why and what to do. */
import { existsSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import type { AgentConfigFile } from '../../agent/config.ts';
import { narrowestUplink } from '../../agent/network/host-network.ts';
import { GantryError } from '../../core/errors.ts';
import { findExecutable } from '../containerd.ts';
import { runningPid } from '../managed-process.ts';
import { cloudOptionsSchema, cloudPaths } from '../options.ts';
import { neededTools, supervisorProcess } from '../preflight.ts';
import { areUsual, type JoinPaths, type Places } from './options.ts';
import type { Releases } from './release.ts';

const refuse = (message: string, hint: string): never => {
  throw new GantryError('ClientException', message, { hint });
};

export function checkCanJoin(places: Places, paths: JoinPaths, { foreground }: { readonly foreground: boolean }): void {
  checkRoot('join');
  const cloud = cloudPaths(cloudOptionsSchema.parse({ dataDir: paths.dataDir, runDir: paths.runDir }));
  if (existsSync(cloud.database) || runningPid(supervisorProcess(cloud)) !== undefined)
    refuse(
      `${paths.dataDir} is that of a control plane, whose machine is a host of its own.`,
      'Join from another machine; or take this one down with `gantry down --purge`; or use another --data, --run-dir and --prefix with --foreground.',
    );
  if (existsSync(paths.config) && /"platform"\s*:\s*"ec2"/.test(readFileSync(paths.config, 'utf8')))
    refuse(
      `${paths.config} is that of an instance of EC2, which its role admits.`,
      'Nothing is to be done here: docs/operating.md.',
    );
  if (foreground) return;
  if (!existsSync('/run/systemd/system'))
    refuse('This machine is not run by systemd.', 'Use --foreground, under whatever supervises processes here.');
  if (!areUsual(places))
    refuse(
      '--data, --run-dir and --prefix say something only with --foreground: the units are written for /var/lib/gantry.',
      'Leave them out; a larger disk can be mounted at /var/lib/gantry.',
    );
}

export function checkRoot(command: string): void {
  if (platform() !== 'linux')
    refuse(`gantry ${command} is for hosts, which run Linux.`, 'Run it on the machine itself.');
  if (process.getuid?.() !== 0)
    refuse(
      `gantry ${command} is about containers, networks and units of this machine, and needs root.`,
      'Run it with sudo.',
    );
}

/** Installs what is missing where that was asked for. `files` are those of the agent's release. */
export async function checkTools(
  releases: Releases,
  files: () => Promise<string>,
  { install, say }: { readonly install: boolean; readonly say: (line: string) => void },
): Promise<void> {
  const missing = [...neededTools, 'iptables'].filter((tool) => findExecutable(tool) === undefined);
  if (missing.length === 0) return;
  const directory = await files();
  if (install) {
    say(`installing what is missing: ${missing.join(', ')}`);
    return releases.installPackages(directory, missing);
  }
  const command = await releases.installCommand(directory, missing);
  refuse(
    `This machine lacks ${missing.join(', ')}.`,
    command === undefined
      ? 'Install what brings them (this distribution is not known here), and join again.'
      : `Say --install too, which installs them; or \`${command}\` yourself, and join again.`,
  );
}

/** The agent would join all the same, and every task in bridge mode would fail. */
export async function checkSubnet({ runtime: { network } }: AgentConfigFile): Promise<void> {
  try {
    await narrowestUplink(network.subnet, network.bridge, undefined);
  } catch (error) {
    throw new GantryError('InvalidParameterException', error instanceof Error ? error.message : String(error), {
      field: 'subnet',
      hint: 'Say one that nothing else uses on this machine with --subnet, for example 10.99.0.0/16.',
      cause: error,
    });
  }
}
