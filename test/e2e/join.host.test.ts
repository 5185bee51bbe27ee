/**
 * The life of a machine that joins: over TLS with a certificate that the control plane made itself, by a token that is good once, with a
 * task that outlives its agent's death and its next release, and out of the cluster again.
 */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type CloudHandle, launcher, run, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { webLimits, webTask } from './definitions.ts';
import { type JoinedHost, joinedHost, killHard } from './joined-host.ts';
import { killHard as killByPidFile } from './one-machine.ts';
import { webAnswer } from './web-answer.ts';
import { whenTask } from './when-task.ts';

describeWithContainers('a machine that joins', () => {
  let images: TestImages;
  let cloud: CloudHandle;
  let host: JoinedHost;

  beforeAll(async () => {
    images = await startTestImages();
    // No host of its own: what runs here runs on the one that joins.
    cloud = await startCloud(['--tls', '--fleet', '0..1']);
  });
  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]();
    await images?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    host = joinedHost();
  });
  afterEach(() => host[Symbol.asyncDispose]());

  const newToken = async () => (await cloud.gantry(['join-token'])).stdout.trim();
  const view = async () => (await cloud.client.call('GetHost', { cluster: 'default', host: 'rack3-7' })).host;

  it('is a host with a key of its own until it leaves, whatever dies meanwhile', async () => {
    const token = await newToken();
    const said = ['--name', 'rack3-7', '--attribute', 'rack=3', '--reserved-memory', '512'];
    const joined = await host.join([cloud.endpoint, '--token', token, ...said]);
    const { containerInstanceArn, attributes } = await view();
    expect(attributes).toContainEqual({ name: 'rack', value: '3' });
    expect(statSync(join(host.dataDir, 'agent.json')).mode & 0o777).toBe(0o600);
    for (const file of ['agent.json', 'host.json', 'agent/host.json'])
      expect(readFileSync(join(host.dataDir, file), 'utf8')).not.toContain('gantry-join-');

    await cloud.client.call('RegisterTaskDefinition', webTask(images.busybox));
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'web', launchType: 'EC2' });
    const task = tasks[0]?.taskArn ?? '';
    const running = await whenTask(cloud.client, 'running', task);
    const binding = running.containers[0]?.networkBindings[0];
    const url = `http://${binding?.bindIP}:${binding?.hostPort}/limits`;
    expect(await webAnswer(url)).toMatch(webLimits);

    // A machine that goes down without a word; what is said anew of it is another agent's to take up.
    await killHard(joined.process);
    await killByPidFile(join(host.runDir, 'agent.pid'));
    await host.join(['--attribute', 'rack=4']);
    expect(await view()).toMatchObject({ containerInstanceArn, status: 'ACTIVE', agentConnected: true });
    expect((await view()).attributes).toContainEqual({ name: 'rack', value: '4' });
    const after = await cloud.client.call('GetTask', { cluster: 'default', task });
    expect(after.task).toMatchObject({ lastStatus: 'RUNNING', startedAt: running.startedAt });
    expect(await (await fetch(url)).text()).toMatch(webLimits);

    // Waits for its task, and stays a host that takes no more where nobody waits for that.
    const leaving = host.startLeaving();
    await once(leaving.stderr ?? leaving, 'data');
    leaving.kill('SIGINT');
    expect((await once(leaving, 'exit'))[0]).toBe(130);
    expect(await view()).toMatchObject({ status: 'DRAINING', runningTasksCount: 1 });

    const left = await host.leave(['--force']);
    expect(left, left.stderr).toMatchObject({ code: 0 });
    expect(left.stderr).toContain('the host rack3-7 has left the cluster default');
    const stopped = await whenTask(cloud.client, 'stopped', task);
    expect(stopped.containers[0]?.exitCode).toBe(0);
    expect(stopped.stoppedReason).toBe('The host was taken out of the cluster.');
    expect(await view()).toMatchObject({ status: 'INACTIVE' });
    expect(leftoversOf(host)).toEqual([]);
    expect(
      ['agent.json', 'host.json', 'agent/host-key.pem'].filter((file) => existsSync(join(host.dataDir, file))),
    ).toEqual([]);
    const again = await host.leave();
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('this machine is no host') });
  });

  it('is refused with what to do, and left as it was', async () => {
    const token = await newToken();
    const url = cloud.endpoint;
    const spent = await newToken();
    await host.join([url, '--token', spent, '--name', 'rack3-7']);
    await using other = joinedHost();
    const authority = readFileSync(join(cloud.dataDir, 'tls', 'ca.pem'), 'utf8');
    const unknown = token.replace(/-[0-9a-f]+\./, `-${'0'.repeat(64)}.`);
    const refusals: [wanted: Parameters<JoinedHost['refused']>[0], message: RegExp, hint: RegExp][] = [
      [{ url: url.replace('https', 'http'), token }, /is plain HTTP/, /^Say https:\/\/localhost:/],
      [
        { url, token: `${token.slice(0, -4)}AAAA` },
        /is not the control plane that the pin is of\.$/,
        /same control plane/,
      ],
      [{ url, token: 'hunter2' }, /^That is no join token\.$/, /pasted whole/],
      [{ url: 'https://localhost:9', token }, /ECONNREFUSED/, /firewall/],
      [{ url, certificateAuthority: authority }, /^--token is missing/, /`gantry join-token`/],
      [
        { url, token: unknown },
        /^The join token is not known here: .* its time is over\.$/,
        /`gantry join-token --cluster default`/,
      ],
      [{ url, token: spent, name: 'b' }, /^The join token has admitted another host already\.$/, /Make a new one/],
      [{ url, token, name: 'rack3-7' }, /^The cluster default has a host named rack3-7/, /another name/],
      [{ url, token, cluster: 'nowhere' }, /^Cluster not found\.$/, /Create the cluster nowhere first\./],
      [{ url, token, subnet: host.subnet }, /overlaps the network/, /--subnet/],
      [{ url, token, reservedMemoryMib: 99_999_999 }, /^Nothing is left for tasks/, /--reserved-memory/],
    ];
    for (const [wanted, message, hint] of refusals)
      expect(await other.refused(wanted)).toMatchObject({
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
    expect([other.dataDir, other.runDir].filter((path) => existsSync(path))).toEqual([]);
    expect(leftoversOf(other)).toEqual([]);
  });

  it('leaves where the control plane is away only by force, and keeps the key that is known there', async () => {
    await using away = await startCloud(['--tls', '--fleet', '0..1']);
    const token = (await away.gantry(['join-token'])).stdout.trim();
    await host.join([away.endpoint, '--token', token]);
    await away.client.call('RegisterTaskDefinition', webTask(images.busybox));
    const { tasks } = await away.client.call('RunTask', { taskDefinition: 'web', launchType: 'EC2' });
    await whenTask(away.client, 'running', tasks[0]?.taskArn ?? '');
    expect(await away.gantry(['down'])).toMatchObject({ code: 0 });
    const has = () => leftoversOf(host).length;
    const before = has();
    expect(before).toBeGreaterThan(0);
    expect(await host.leave()).toMatchObject({ code: 1, stderr: expect.stringContaining('or say --force') });
    expect(has()).toBe(before);
    const left = await host.leave(['--force']);
    expect(left).toMatchObject({ code: 0, stderr: expect.stringContaining('the control plane was not told') });
    expect(leftoversOf(host)).toEqual([]);
    expect(existsSync(join(host.dataDir, 'agent/host-key.pem'))).toBe(true);
  });

  it('is not needed to call it: other machines trust the same authority', async () => {
    const home = mkdtempSync(join(tmpdir(), 'gantry-login-'));
    try {
      const { certificatePin = '' } = await cloud.client.call('CreateJoinToken', { cluster: 'default' });
      const env = { ...process.env, XDG_CONFIG_HOME: home };
      const { accessKeyId, secretAccessKey } = cloud.credentials;
      const gantry = (args: string[], input = '') => run(process.execPath, [launcher, ...args], env, input);
      const login = ['login', 'there', '--endpoint', cloud.endpoint, '--access-key-id', accessKeyId];
      const untrusted = await gantry(login, secretAccessKey);
      expect(untrusted).toMatchObject({ code: 1, stderr: expect.stringContaining('--tls-pin') });
      expect(await gantry([...login, '--tls-pin', certificatePin], secretAccessKey)).toMatchObject({ code: 0 });
      expect(await gantry(['hosts', '--context', 'there'])).toMatchObject({ code: 0 });

      const aws = ['ecs', 'list-clusters', '--endpoint-url', cloud.endpoint, '--output', 'text'];
      const trusting = { ...cloud.env, AWS_CA_BUNDLE: join(cloud.dataDir, 'tls', 'ca.pem') };
      expect(await run('/usr/bin/aws', aws, trusting)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('cluster/default'),
      });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
