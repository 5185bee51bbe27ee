import { describe, expect, it } from 'vitest';
import { hostPaths, protocolVersion } from '../../core/host-protocol.ts';
import { parseJoinToken } from '../../core/join-token.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { ScriptedHost } from './support/scripted-host.ts';
import { amounts, hostView, startWorld, type World } from './support/world.ts';

const joinToken = (world: World, options: { cluster?: string; reusable?: boolean; lifetimeSeconds?: number } = {}) =>
  world.control.joinTokens.create({ cluster: 'default', reusable: false, ...options });

describe('admission', () => {
  it('needs a token that is valid, of that cluster, in time, and spent once', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'other' });
    const host = (name: string) => new ScriptedHost(world.control, { name });
    await expect(host('a').register('guess')).rejects.toMatchObject({ status: 403, code: 'AccessDeniedException' });
    const other = await joinToken(world, { cluster: 'other' });
    await expect(host('a').register(other)).rejects.toMatchObject({ status: 403 });
    const brief = await joinToken(world, { lifetimeSeconds: 60 });
    const token = await joinToken(world);
    const first = host('a');
    await first.register(token);
    await expect(host('b').register(token)).rejects.toMatchObject({ status: 403 });
    await first.register(token); // The answer may have been lost.
    world.advance(61);
    await expect(host('c').register(brief)).rejects.toMatchObject({ status: 403 });
    expect((await world.call('GetHosts', {})).hosts).toHaveLength(1);
  });

  it('takes tokens with a pin and without one, whatever the host was given', async () => {
    const certificatePin = 'A'.repeat(43);
    await using world = await startWorld({ settings: { certificatePin } });
    const made = await world.call('CreateJoinToken', {});
    expect(made).toMatchObject({
      certificatePin,
      joinToken: expect.stringMatching(/^gantry-join-[0-9a-f]{64}\.A{43}$/),
    });
    expect(parseJoinToken(made.joinToken)).toEqual({ pin: certificatePin });
    const [bare = ''] = made.joinToken.split('.');
    expect(parseJoinToken(bare)).toEqual({ pin: undefined });
    expect(['', 'gantry-join-', `${bare}.`, `${bare}.AAA`, ` ${bare}`].map(parseJoinToken)).toEqual(
      Array(5).fill(undefined),
    );
    const host = new ScriptedHost(world.control, { name: 'a' });
    const { hostId } = await host.register(bare);
    expect((await host.register(made.joinToken)).hostId).toBe(hostId);
    await expect(new ScriptedHost(world.control, { name: 'b' }).register(made.joinToken)).rejects.toMatchObject({
      status: 403,
    });
  });

  it('understands agents of this version of the protocol and of the one before, and says which', async () => {
    await using world = await startWorld();
    const token = await joinToken(world, { reusable: true });
    for (const version of [protocolVersion - 1, protocolVersion]) {
      const host = new ScriptedHost(world.control, { name: `v${version}` });
      await host.register(token, { protocolVersion: version });
    }
    for (const [version, what] of [
      [protocolVersion - 2, 'agent'],
      [protocolVersion + 1, 'control plane'],
    ] as const) {
      const host = new ScriptedHost(world.control, { name: 'other' });
      const message = `The agent speaks protocol version ${version}; this control plane understands 1 and 2. Upgrade the ${what}.`;
      const refused = host.register(token, { protocolVersion: version });
      await expect(refused).rejects.toMatchObject({ status: 400, message });
    }
  });

  it('ends with the first full report, also where its change meets another one', async () => {
    let conflicts = 0;
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          if (conflicts === 0) return forward(changes);
          conflicts -= 1;
          return { outcome: 'conflict' };
        }),
    });
    const host = new ScriptedHost(world.control);
    await host.register(await joinToken(world));
    await host.fetch();
    expect((await hostView(world)).status).toBe('REGISTERING');
    expect(await world.call('ListContainerInstances', { status: 'ACTIVE' })).toEqual({ containerInstanceArns: [] });
    conflicts = 1;
    await host.report({ full: true });
    expect(conflicts).toBe(0);
    expect((await hostView(world)).status).toBe('ACTIVE');
  });

  it('of many at once by a one-time token admits one', async () => {
    await using world = await startWorld();
    const token = await joinToken(world);
    const hosts = Array.from({ length: 8 }, (_, index) => new ScriptedHost(world.control, { name: `h${index}` }));
    const results = await Promise.allSettled(hosts.map((host) => host.register(token)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await world.call('GetHosts', {})).hosts).toHaveLength(1);
  });

  it('knows a key again and keeps what the host has free as its totals change', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 2000, memoryMib: 2000, reservedPorts: ['tcp/22'] });
    await world.register('job', { cpu: 500, memory: 500, hostPort: 80 });
    await world.call('RunTask', { taskDefinition: 'job' });
    const { hostId } = await host.register('', {
      cpuUnits: 3000,
      memoryMib: 1000,
      reservedPorts: ['tcp/53', 'tcp/80'],
    });
    expect(hostId).toBe(host.hostId);
    const view = await hostView(world);
    expect(amounts(view.registeredResources)).toEqual({ CPU: 3000, MEMORY: 1000 });
    expect(amounts(view.remainingResources)).toEqual({ CPU: 2500, MEMORY: 500 });
    expect(view.remainingResources.find(({ name }) => name === 'PORTS')?.stringSetValue?.sort()).toEqual(['53', '80']);
  });

  it('places what waits when a host comes back with more', async () => {
    await using world = await startWorld();
    const host = await world.host({ memoryMib: 100 });
    await world.register('job', { memory: 500 });
    await world.call('RunTask', { taskDefinition: 'job' });
    await world.control.loops.idle();
    await host.register('', { memoryMib: 1000 });
    await world.control.loops.idle();
    expect((await world.call('GetTasks', {})).tasks).toMatchObject([{ lastStatus: 'PENDING' }]);
  });

  it('refuses a name that another key has, and a key that has another name', async () => {
    await using world = await startWorld();
    const host = await world.host({ name: 'alpha' });
    const token = await joinToken(world);
    const double = new ScriptedHost(world.control, { name: 'alpha' });
    await expect(double.register(token)).rejects.toMatchObject({ status: 409, code: 'ConflictException' });
    await expect(host.register(token, { name: 'beta' })).rejects.toMatchObject({ status: 409 });
    await expect(double.register(token, { name: 'no spaces' })).rejects.toMatchObject({ status: 400 });
    await expect(double.register(token, { cluster: 'nowhere' })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
  });

  it('gives nothing to a host before it has fetched and reported everything', async () => {
    await using world = await startWorld();
    await world.register('job');
    const host = new ScriptedHost(world.control);
    await host.register(await joinToken(world));
    const request = { taskDefinition: 'job', launchType: 'EC2' };
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    await host.fetch();
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    await host.report({ full: true });
    expect((await world.call('RunTask', request)).failures).toEqual([]);
  });
});

describe('a request of a host', () => {
  it('must be signed by the key of the host in its path, now, over its own body', async () => {
    await using world = await startWorld();
    const [host, stranger] = [await world.host({ name: 'a' }), await world.host({ name: 'b' })];
    const path = hostPaths.heartbeat(host.hostId);
    const send = async (headers: Record<string, string>, body = '') => {
      const answer = await world.control.hostsApp.request(path, { method: 'POST', headers, ...(body && { body }) });
      return [answer.status, answer.status === 200 ? '' : ((await answer.json()) as { code: string }).code];
    };
    const good = host.signed('POST', path, '');
    expect(await send(good)).toEqual([200, '']);
    expect(await send({})).toEqual([401, 'MissingAuthenticationTokenException']);
    expect(await send({ ...good, signature: 'gantry=:AAAA:' })).toEqual([401, 'IncompleteSignatureException']);
    expect(await send(good, '{}')).toEqual([401, 'InvalidSignatureException']);
    expect(await send(host.signed('GET', path, ''))).toEqual([401, 'InvalidSignatureException']);
    expect(await send(host.signed('POST', hostPaths.report(host.hostId), ''))).toEqual([
      401,
      'InvalidSignatureException',
    ]);
    expect(await send(stranger.signed('POST', path, ''))).toEqual([401, 'UnrecognizedClientException']);
    expect(await send(stranger.signed('POST', path, '', host.hostId))).toEqual([401, 'InvalidSignatureException']);
    world.advance(301);
    expect(await send(good)).toEqual([401, 'InvalidSignatureException']);
  });

  it('that is malformed gets a 400 that names the member', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const report = host.request('POST', hostPaths.report(host.hostId), { storeEpoch: host.storeEpoch });
    await expect(report).rejects.toMatchObject({ status: 400, message: expect.stringContaining('hostEpoch') });
  });
});
