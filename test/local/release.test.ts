/** The agent's releases on a joined host, with the real scripts in a directory that stands for its file system. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Releases } from '../../local/join/release.ts';
import { HostSandbox, installed } from '../lib/support/host-sandbox.ts';
import { installation } from '../lib/support/synth.ts';

let host: HostSandbox;
let releases: Releases;
beforeEach(() => {
  host = new HostSandbox();
  releases = new Releases(host.root, `${host.binaries}:/usr/bin:/bin`);
});
afterEach(() => host[Symbol.dispose]());

/** A release whose agent is this text. */
function placed(agent: string): string {
  for (const name of readdirSync(installation)) host.write(join('built', name), installed(name));
  host.write('built/agent.mjs', agent);
  return releases.place(join(host.root, 'built'), host.write('node', 'Node'));
}

it('install units, containerd’s configuration and the agent with a Node of its own, and nothing that looks for updates', async () => {
  const name = placed('one');
  await releases.install(name);
  expect(releases.current()).toBe(name);
  expect(host.read('opt/gantry/current/agent.mjs')).toBe('one');
  expect(host.read('opt/gantry/current/bin/node')).toBe('Node');
  expect(readdirSync(join(host.root, 'etc/systemd/system')).toSorted()).toEqual([
    'gantry-agent.service',
    'gantry-containerd.service',
  ]);
  expect(host.calls('systemctl')).toEqual([
    'daemon-reload',
    'enable --quiet gantry-containerd.service gantry-agent.service',
    'restart gantry-containerd.service',
    'restart gantry-agent.service',
  ]);
});

it('are switched with the agent’s restart alone, and back again', async () => {
  const one = placed('one');
  await releases.install(one);
  const two = placed('two');
  expect(two).not.toBe(one);
  host.calls('systemctl');
  await releases.install(two);
  expect(host.read('opt/gantry/current/agent.mjs')).toBe('two');
  const calls = host.calls('systemctl');
  expect(calls).toContain('restart gantry-agent.service');
  expect(calls).not.toContain('restart gantry-containerd.service');
  await releases.rollBack(one);
  expect(host.read('opt/gantry/current/agent.mjs')).toBe('one');
  expect(host.calls('systemctl')).toEqual(['restart gantry-agent.service']);
});

it('say what did not work', async () => {
  host.placeBinary('systemctl', 'echo "Unit is masked." >&2; exit 1');
  await expect(releases.install(placed('one'))).rejects.toThrow(/install\.sh` failed:\nUnit is masked\./);
});

it('go from the machine without a trace, twice', async () => {
  await releases.install(placed('one'));
  host.write('opt/gantry/usr/bin/runc', 'what set-up brought');
  host.calls('systemctl');
  await releases.remove();
  await releases.remove();
  expect(host.calls('systemctl')).toEqual([
    'disable --now --quiet gantry-agent.service',
    'disable --now --quiet gantry-containerd.service',
    'daemon-reload',
  ]);
  expect(readdirSync(join(host.root, 'opt/gantry'))).toEqual(['usr']);
  expect(readdirSync(join(host.root, 'etc/systemd/system'))).toEqual([]);
  expect(existsSync(join(host.root, 'etc/gantry/containerd.toml'))).toBe(false);
});

it('name the command that installs what is missing', async () => {
  host.placeBinary('apt-get', 'exit 0');
  const command = await releases.installCommand(installation, ['containerd', 'runc', 'ip', 'nsenter']);
  expect(command).toMatch(/^(?:apt-get|dnf) install containerd iproute2? runc util-linux$/);
});
