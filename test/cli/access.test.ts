/** Commands on keys, tokens, instances and hosts: what an operator of a control plane does, printed in three ways and done for real. */
import { describe, expect, it } from 'vitest';
import { type Desk, type Ended, openDesk, startCommand } from './support/desk.ts';
import { setScene } from './support/scene.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 120 }, plain: {}, json: { columns: 120 } } as const;
const instance = 'i-0123456789abcdef0';

/** Keys, secrets, tokens and ports are new in each run. */
const masked = (text: string): string =>
  text
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
    .replaceAll(/GKIA[0-9A-F]{16}/g, 'GKIA0123456789ABCDEF')
    .replaceAll(/gantry-join-[0-9a-f]{64}/g, 'gantry-join-TOKEN')
    .replaceAll(/THIS-MACHINE:\d+/g, 'THIS-MACHINE:8080')
    .replaceAll(/(?<=AWS_SECRET_ACCESS_KEY(?:=|":"))[\w-]{40}/g, 'SECRET');

const keysOf = async (desk: Desk): Promise<string[]> =>
  (await desk.world.call('ListAccessKeys', {})).accessKeys.map(({ accessKeyId }) => accessKeyId);

describe('the commands of an operator', () => {
  const commands: Record<string, readonly string[]> = {
    'keys create': ['keys', 'create', 'ci', '--cluster', 'web', '--also-cluster', 'batch'],
    'keys create with rights':
      'keys create deploy --role web-* --role batch --host-network --host-paths --privileged --max-waiting 20'.split(
        ' ',
      ),
    'keys list': ['keys', 'list'],
    'keys revoke': ['keys', 'revoke', 'KEY', 'GKIANONE'],
    'join-token': ['join-token', '--reusable', '--lifetime-minutes', '90'],
    admit: ['admit', instance],
    drain: ['drain', 'host-2', 'host-1', 'host-9'],
    activate: ['activate', 'host-1'],
    'deregister what has tasks': ['deregister', 'host-2'],
    'deregister by force': ['deregister', 'host-2', '--force'],
  };
  for (const [name, words] of Object.entries(commands))
    it.each(Object.entries(styles))(`${name}, %s`, async (style, options) => {
      await using desk = await openDesk();
      await setScene(desk);
      const { accessKey } = await desk.world.call('CreateAccessKey', { userName: 'ci', actions: ['read'] });
      const argv = [
        ...words.map((word) => (word === 'KEY' ? accessKey.accessKeyId : word)),
        ...(style === 'json' ? ['--json'] : []),
      ];
      const { code, stdout, stderr } = await desk.gantry(argv, options);
      const ended: Ended = { code, stdout: masked(stdout), stderr: masked(stderr) };
      const told = transcript(masked(argv.join(' ')), ended);
      await expect(told).toMatchFileSnapshot(`./golden/${name} - ${style}.txt`);
    });
});

describe('keys create', () => {
  it('makes a key that a client can use with what was printed, for one cluster and what clients do', async () => {
    await using desk = await openDesk();
    const { stdout } = await desk.gantry(['keys', 'create', 'ci']);
    const env = Object.fromEntries(
      [...stdout.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
    );
    const withKey = (...argv: string[]) => startCommand([...argv, '--json'], { env }, undefined, desk.world.now).ended;
    expect(JSON.parse((await withKey('ps')).stdout)).toEqual({ tasks: [] });
    for (const argv of [
      ['ps', '--cluster', 'web'],
      ['drain', 'host-1'],
      ['keys', 'list'],
    ])
      expect(JSON.parse((await withKey(...argv)).stdout).error.code).toBe('AccessDeniedException');
  });

  it.each([
    [['--action', 'read'], ['read'], ['default']],
    [['--action', 'administer', '--action', 'read', '--all-clusters'], ['read', 'administer'], undefined],
    [['--cluster', 'web'], ['read', 'run', 'register'], ['web']],
  ])('takes %j', async (options, actions, clusters) => {
    await using desk = await openDesk();
    const { accessKey, environment } = JSON.parse(
      (await desk.gantry(['keys', 'create', 'ci', '--json', ...options])).stdout,
    );
    expect(accessKey).toMatchObject({ actions, principalArn: 'arn:aws:iam::000000000000:user/ci' });
    expect(accessKey.clusters).toEqual(clusters);
    expect(environment.AWS_ACCESS_KEY_ID).toBe(accessKey.accessKeyId);
    expect(environment.AWS_SECRET_ACCESS_KEY).toMatch(/^[\w-]{40}$/);
    expect((await desk.gantry(['keys', 'list'])).stdout).not.toContain(environment.AWS_SECRET_ACCESS_KEY);
  });

  it('of one cluster and of all is refused', async () => {
    expect(
      await startCommand(['keys', 'create', 'ci', '--all-clusters', '--also-cluster', 'a'], {}).ended,
    ).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('gantry keys create: --all-clusters leaves no cluster for --also-cluster.'),
    });
  });
});

describe('keys list', () => {
  it('shows all of more keys than fit a page, the first among them', async () => {
    await using desk = await openDesk();
    const [first] = await keysOf(desk);
    for (let made = 0; made < 101; made += 1)
      await desk.world.call('CreateAccessKey', { userName: `user-${made}`, actions: ['read'] });
    const { accessKeys } = JSON.parse((await desk.gantry(['keys', 'list', '--json'])).stdout);
    const ids = accessKeys.map(({ accessKeyId }: { accessKeyId: string }) => accessKeyId);
    expect(new Set(ids).size).toBe(102);
    expect(ids).toContain(first);
  });
});

describe('keys revoke', () => {
  it('revokes the others where one is not there', async () => {
    await using desk = await openDesk();
    const { accessKey } = await desk.world.call('CreateAccessKey', { userName: 'ci', actions: ['read'] });
    const { code, stdout, stderr } = await desk.gantry([
      'keys',
      'revoke',
      'GKIA0000000000000000',
      accessKey.accessKeyId,
    ]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: `${accessKey.accessKeyId} is revoked\n` });
    expect(stderr).toContain('There is no access key GKIA0000000000000000.');
    expect(await keysOf(desk)).not.toContain(accessKey.accessKeyId);
  });
});

describe('a join token', () => {
  it('is all of standard output, and admits a host to the cluster that was named', async () => {
    await using desk = await openDesk();
    await desk.world.call('CreateCluster', { clusterName: 'web' });
    const { stdout } = await desk.gantry(['join-token', '--cluster', 'web']);
    const host = await desk.world.host({ name: 'joined', token: stdout.trim(), cluster: 'web' });
    expect(host.name).toBe('joined');
    expect((await desk.gantry(['hosts', '--cluster', 'web'])).stdout).toContain('joined');
  });
});

describe('admit', () => {
  it('refuses what is no instance and what is admitted elsewhere', async () => {
    await using desk = await openDesk();
    await desk.world.call('CreateCluster', { clusterName: 'web' });
    expect((await desk.gantry(['admit', instance])).code).toBe(0);
    expect(await desk.gantry(['admit', instance, '--cluster', 'web'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is admitted to the cluster default'),
    });
    expect((await desk.gantry(['admit', 'web-1'])).stderr).toContain(
      'instanceIds[0] is not the id of an EC2 instance.',
    );
  });
});

describe('drain, activate and deregister', () => {
  it('take more hosts than one request does', async () => {
    await using desk = await openDesk();
    const names = Array.from({ length: 11 }, (_, index) => `host-${index + 1}`);
    for (const name of names) await desk.world.host({ name });
    const statuses = async () =>
      JSON.parse((await desk.gantry(['hosts', '--json'])).stdout).hosts.map(({ status }: { status: string }) => status);
    expect((await desk.gantry(['drain', ...names])).code).toBe(0);
    expect(new Set(await statuses())).toEqual(new Set(['DRAINING']));
    expect((await desk.gantry(['activate', ...names])).code).toBe(0);
    expect(new Set(await statuses())).toEqual(new Set(['ACTIVE']));
  });

  it('keep placement away, let it come back, and end a host', async () => {
    await using desk = await openDesk();
    await desk.world.host();
    await desk.world.register('job');
    await desk.gantry(['drain', 'host-1']);
    expect((await desk.gantry(['run', 'job'])).stdout).toContain('waits for a host');
    await desk.gantry(['activate', 'host-1']);
    await desk.world.loop('place-pending');
    expect((await desk.gantry(['ps'])).stdout).toContain('host-1');
    expect((await desk.gantry(['deregister', 'host-1'])).code).toBe(1);
    expect((await desk.gantry(['deregister', 'host-1', '--force'])).code).toBe(0);
    expect((await desk.gantry(['hosts'])).stdout).toBe('');
  });
});
