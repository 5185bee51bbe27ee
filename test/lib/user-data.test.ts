import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAgentConfig } from '../../agent/config.ts';
import { agentArchive } from '../../lib/host/agent-archive.ts';
import { containerdConfig } from '../../local/containerd.ts';
import { describeUnless } from '../support/containers.ts';
import { type AwsForHosts, bucket, parameter, region, startAwsForHosts } from './support/aws-for-hosts.ts';
import { makeCluster } from './support/cluster.ts';
import { HostSandbox, neededBinaries } from './support/host-sandbox.ts';
import { installation } from './support/synth.ts';

// Synthesis is seconds of work for one core, which others may be using.
vi.setConfig({ testTimeout: 30_000 });

const installed = (name: string): string => readFileSync(join(installation, name), 'utf8');

/** The launch template's user data as an instance gets it. */
const userData = resolvedUserData();
function resolvedUserData(): string {
  const { template } = makeCluster({ hostAttributes: { rack: 'r\'1"' } });
  const [launchTemplate] = Object.values(template.findResources('AWS::EC2::LaunchTemplate'));
  const [separator, parts] = launchTemplate?.Properties.LaunchTemplateData.UserData['Fn::Base64']['Fn::Join'] ?? [];
  const values: Record<string, string> = { 'AWS::Region': region, 'AWS::URLSuffix': 'amazonaws.com' };
  const text = (part: string | { Ref?: string; 'Fn::Sub'?: string }): string => {
    if (typeof part === 'string') return part;
    return part.Ref === undefined ? bucket : (values[part.Ref] ?? parameter);
  };
  return parts.map(text).join(separator);
}

describe('the user data', () => {
  it('stays well within the 16 KiB that EC2 takes, with all the attributes that there may be', () => {
    expect(Buffer.byteLength(userData)).toBeLessThan(16_384 - 20 * 280);
  });

  it('writes what the agent is told and the updater, and starts that', async () => {
    using host = new HostSandbox();
    mkdirSync(join(host.root, 'etc/systemd/system'), { recursive: true });
    const here = (line: string) => line.replaceAll(/(?<=[ >])\/(?=etc|opt)/g, `${host.root}/`);
    const script = userData.replaceAll(/^(mkdir|cat >).*$/gm, here);
    expect(await host.run(host.write('user-data', script))).toMatchObject({ status: 0, stderr: '' });
    expect(readAgentConfig(join(host.root, 'etc/gantry/agent.json'))).toMatchObject({
      platform: 'ec2',
      controlPlaneUrl: 'https://api123.execute-api.eu-central-1.amazonaws.com',
      cluster: 'blue',
      attributes: { rack: 'r\'1"' },
    });
    expect(host.read('etc/gantry/release.env')).toBe(
      `GANTRY_REGION=${region}\nGANTRY_URL_SUFFIX=amazonaws.com\nGANTRY_ASSET_BUCKET=${bucket}\nGANTRY_RELEASE_PARAMETER=${parameter}\n`,
    );
    expect(host.read('opt/gantry/update.sh')).toBe(installed('update.sh'));
    for (const unit of ['gantry-update.service', 'gantry-update.timer'])
      expect(host.read(`etc/systemd/system/${unit}`)).toBe(installed(unit));
    expect(host.calls('systemctl')).toEqual(['daemon-reload', 'start --no-block gantry-update.service']);
  });
});

const whyNot = ['/usr/bin/curl', '/usr/bin/openssl'].filter((path) => !existsSync(path));

describeUnless(whyNot.length > 0 ? `needs ${whyNot.join(' and ')}` : undefined, 'the updater', () => {
  let aws: AwsForHosts;
  let host: HostSandbox;
  beforeEach(async () => {
    aws = await startAwsForHosts();
    host = new HostSandbox();
  });
  afterEach(async () => {
    host[Symbol.dispose]();
    await aws[Symbol.asyncDispose]();
  });

  const update = () =>
    host.run(join(installation, 'update.sh'), {
      CURL_HOME: aws.curlHome,
      GANTRY_REGION: region,
      GANTRY_URL_SUFFIX: 'amazonaws.com',
      GANTRY_ASSET_BUCKET: bucket,
      GANTRY_RELEASE_PARAMETER: parameter,
    });

  /** Publishes a release and answers its hash; `change` is called with the directory of what is in it. */
  function publish(agent: string, change: (directory: string) => void = () => {}): string {
    const directory = join(host.root, 'built');
    for (const name of readdirSync(installation)) host.write(join('built', name), installed(name));
    host.write('built/agent.mjs', agent);
    change(directory);
    const node = host.write('node', 'Node');
    const { content, sha256 } = agentArchive({ directory, node, cache: join(host.root, 'cache') });
    aws.store.objects.set(`${agent}.gz`, content);
    aws.store.release = `${agent}.gz ${sha256}`;
    return sha256;
  }
  const running = (): string => basename(readlinkSync(join(host.root, 'opt/gantry/current')));
  const releases = (): string[] => readdirSync(join(host.root, 'opt/gantry')).filter((name) => name.length === 64);

  it('fetches, checks and installs the release, and starts containerd and the agent', async () => {
    const sha256 = publish('one');
    expect(await update()).toMatchObject({ status: 0, stderr: '' });
    expect(running()).toBe(sha256);
    expect(host.read('opt/gantry/current/agent.mjs')).toBe('one');
    expect(host.read('opt/gantry/current/bin/node')).toBe('Node');
    for (const unit of [
      'gantry-containerd.service',
      'gantry-agent.service',
      'gantry-update.service',
      'gantry-update.timer',
    ])
      expect(host.read(`etc/systemd/system/${unit}`)).toBe(installed(unit));
    expect(host.read('etc/gantry/containerd.toml')).toBe(installed('containerd.toml'));
    expect(host.calls('systemctl')).toEqual([
      'daemon-reload',
      'enable --quiet gantry-containerd.service gantry-agent.service gantry-update.timer',
      'restart gantry-containerd.service',
      'restart gantry-agent.service',
      'start gantry-update.timer',
    ]);
  });

  it('shows its secrets to no other process', async () => {
    publish('one');
    await update();
    const commandLines = host.calls('curl').join('\n');
    expect(commandLines).toContain(`aws:amz:${region}:s3`);
    expect(commandLines).not.toContain('secret of the role');
    expect(commandLines).not.toContain('session token');
  });

  it('does nothing where the release runs already', async () => {
    publish('one');
    await update();
    host.calls('systemctl');
    aws.store.requests.length = 0;
    expect(await update()).toMatchObject({ status: 0, stdout: '' });
    expect(host.calls('systemctl')).toEqual([]);
    expect(aws.store.requests).toEqual([`ssm.${region}.amazonaws.com POST /`]);
  });

  it('installs a new release beside the old one, and leaves containerd alone', async () => {
    const one = publish('one');
    await update();
    host.calls('systemctl');
    const second = publish('two');
    expect(await update()).toMatchObject({ status: 0 });
    expect(running()).toBe(second);
    expect(releases().toSorted()).toEqual([one, second].toSorted());
    const calls = host.calls('systemctl');
    expect(calls).toContain('start gantry-containerd.service');
    expect(calls).not.toContain('restart gantry-containerd.service');
    expect(calls).toContain('restart gantry-agent.service');
  });

  it('goes back to a release that it still has without fetching it', async () => {
    publish('one');
    await update();
    const first = aws.store.release;
    publish('two');
    await update();
    aws.store.release = first;
    aws.store.requests.length = 0;
    expect(await update()).toMatchObject({ status: 0 });
    expect(first.endsWith(running())).toBe(true);
    expect(aws.store.requests).toHaveLength(1);
  });

  it('keeps the release before this one, and no older', async () => {
    const hashes = [];
    for (const agent of ['one', 'two', 'three']) {
      hashes.push(publish(agent));
      await update();
    }
    expect(releases().toSorted()).toEqual(hashes.slice(1).toSorted());
  });

  it('restarts containerd where its configuration is another', async () => {
    publish('one');
    await update();
    host.calls('systemctl');
    publish('two', (directory) => writeFileSync(join(directory, 'containerd.toml'), 'version = 2\n'));
    await update();
    expect(host.calls('systemctl')).toContain('restart gantry-containerd.service');
    expect(host.read('etc/gantry/containerd.toml')).toBe('version = 2\n');
  });

  it('finishes at the next time what ended midway', async () => {
    const sha256 = publish('one');
    host.placeBinary('systemctl', `${host.notes('systemctl')}\n[ "$1" != enable ]`);
    expect(await update()).toMatchObject({ status: 1 });
    host.placeBinary('systemctl', host.notes('systemctl'));
    host.calls('systemctl');
    expect(await update()).toMatchObject({ status: 0 });
    expect(host.calls('systemctl')).toContain('restart gantry-agent.service');
    expect(host.read('opt/gantry/installed').trim()).toBe(sha256);
  });

  it.each<[string, () => void, RegExp]>([
    [
      'an archive with another hash',
      () => aws.store.objects.set('two.gz', Buffer.from('something else')),
      /s3:\/\/assets-of-eu\/two\.gz is not what the parameter says: its SHA-256 is not [0-9a-f]{64}/,
    ],
    [
      'an archive that is not there',
      () => aws.store.objects.clear(),
      /s3:\/\/assets-of-eu\/two\.gz cannot be fetched: .*NoSuchKey/,
    ],
    [
      'a parameter of another form',
      () => (aws.store.release = 'latest'),
      /must be a key and a SHA-256; it is "latest"/,
    ],
    [
      'a role that AWS does not know',
      () =>
        aws.metadata.items.set(
          'iam/security-credentials/gantry-host',
          '{"AccessKeyId":"ASIAOTHER","SecretAccessKey":"x","Token":"y"}',
        ),
      /the parameter CFN-Release-abc123 cannot be read: .*SignatureDoesNotMatch/,
    ],
    [
      'an instance without a role',
      () => aws.metadata.items.delete('iam/security-credentials/'),
      /this instance has no role/,
    ],
    ['metadata that is away', () => (aws.metadata.outage = 503), /instance metadata gives no session token/],
  ])('refuses %s, says so, and changes nothing', async (_, spoil, complaint) => {
    const sha256 = publish('one');
    await update();
    host.calls('systemctl');
    publish('two');
    spoil();
    const { status, stderr } = await update();
    expect(stderr).toMatch(complaint);
    expect(status).toBe(1);
    expect(running()).toBe(sha256);
    expect(releases()).toEqual([sha256]);
    expect(host.calls('systemctl')).toEqual([]);
  });
});

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
    ['dnf', ['-y -q install --setopt=install_weak_deps=False containerd iproute iptables-nft runc util-linux']],
    [
      'apt-get',
      [
        '-qq -o DPkg::Lock::Timeout=300 update',
        '-qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends containerd iproute2 iptables runc util-linux',
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
      'ExecStart=/opt/gantry/current/bin/node /opt/gantry/current/agent.mjs /etc/gantry/agent.json\n',
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
