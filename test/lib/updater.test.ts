import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { agentArchive } from '../../lib/host/agent-archive.ts';
import { describeUnless } from '../support/containers.ts';
import { type AwsForHosts, bucket, parameter, region, startAwsForHosts } from './support/aws-for-hosts.ts';
import { HostSandbox, installed } from './support/host-sandbox.ts';
import { installation } from './support/synth.ts';

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
