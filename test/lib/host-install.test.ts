import { describe, expect, it } from 'vitest';
import { containerdConfig } from '../../local/containerd.ts';
import { HostSandbox, installed, neededBinaries } from './support/host-sandbox.ts';
import { installation } from './support/synth.ts';

describe('the packages of a host', () => {
  /** Runs install_missing where nothing is on PATH but a package manager that brings what its packages bring. */
  async function installWith(host: HostSandbox, manager: string, brings: readonly string[]) {
    const places = brings.map((name) => `cp /bin/true '${host.binaries}/${name}'`).join('\n');
    host.placeBinary(manager, `${host.notes(manager)}\nPATH=/usr/bin:/bin\n${places}`);
    host.placeBinary('sort', 'exec /usr/bin/sort "$@"');
    const script = `set -eu\n. '${installation}/packages.sh'\ninstall_missing ${neededBinaries.join(' ')}\n`;
    return host.run(host.write('script', script), { PATH: host.binaries });
  }

  it.each([
    [
      'dnf',
      [
        '-y -q install --setopt=install_weak_deps=False conntrack-tools containerd iproute iptables-nft runc util-linux',
      ],
    ],
    [
      'apt-get',
      [
        '-qq -o DPkg::Lock::Timeout=300 update',
        '-qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends conntrack containerd iproute2 iptables runc util-linux',
      ],
    ],
  ] as const)(
    'are installed by %s where binaries are missing, and a containerd that this starts is stopped',
    async (manager, expected) => {
      using host = new HostSandbox([]);
      expect(await installWith(host, manager, neededBinaries)).toMatchObject({ status: 0, stderr: '' });
      expect(host.calls(manager)).toEqual(expected);
      expect(host.calls('systemctl')).toEqual(['disable --now --quiet containerd.service']);
    },
  );

  it('are left alone where every binary is there', async () => {
    using host = new HostSandbox();
    expect(await installWith(host, 'dnf', [])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(host.calls('dnf')).toEqual([]);
  });

  it('are named where one does not bring what it should', async () => {
    using host = new HostSandbox([]);
    const { status, stderr } = await installWith(host, 'dnf', neededBinaries.slice(0, -1));
    expect(stderr).toBe('gantry: nsenter cannot be found although util-linux is installed\n');
    expect(status).toBe(1);
  });

  it('cannot be installed without a package manager', async () => {
    using host = new HostSandbox([]);
    const { status, stderr } = await installWith(host, 'pacman', []);
    expect(stderr).toMatch(/^gantry: this host has neither dnf nor apt-get to install containerd /);
    expect(status).toBe(1);
  });
});

describe('the units', () => {
  it('run containerd as one machine does, under the paths of a host', () => {
    const state = '/run/gantry/containerd';
    const paths = { root: '/var/lib/gantry/containerd', state, socket: `${state}/containerd.sock` };
    expect(installed('containerd.toml')).toBe(containerdConfig(paths));
    expect(installed('gantry-containerd.service')).toMatch(/^ExecStart=.* --config \/etc\/gantry\/containerd\.toml$/m);
  });

  it('start the agent with its own Node, whatever ended it, and trust what the machine trusts', () => {
    const unit = installed('gantry-agent.service');
    expect(unit).toContain(
      'ExecStart=/opt/gantry/current/bin/node --max-semi-space-size=2 /opt/gantry/current/agent.mjs /etc/gantry/agent.json\n',
    );
    expect(unit).toContain('Restart=always\n');
    expect(unit).toContain('StartLimitIntervalSec=0\n');
    expect(unit).toContain('Environment=NODE_USE_SYSTEM_CA=1\n');
  });

  it('let containers outlive containerd, and containerd the agent', () => {
    expect(installed('gantry-containerd.service')).toContain('KillMode=process\n');
    expect(installed('gantry-agent.service')).not.toMatch(/^(Requires|BindsTo|PartOf)=/m);
  });
});
