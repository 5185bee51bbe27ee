import { createHash } from 'node:crypto';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { stsCallerIdentity } from '../../control/hosts/caller-identity.ts';
import { admitInstances, dismissInstances, forgetHostRole, registerHostRole } from '../../control/hosts/instances.ts';
import { getHostCapacity } from '../../control/store/hosts.ts';
import { claimInstance } from '../../control/store/instances.ts';
import { instanceProof, stsHost } from '../../core/instance-proof.ts';
import { type FakeSts, type StsCredentials, startFakeSts } from '../support/fake-sts.ts';
import { Instance, roleId } from './support/instance.ts';
import { hostView, startWorld, type World, type WorldOptions } from './support/world.ts';

const instanceId = 'i-0123456789abcdef0';

interface Admitting extends AsyncDisposable {
  readonly world: World;
  readonly sts: FakeSts;
  /** Admitted to the cluster `default`. */
  readonly instance: Instance;
}

/** A control plane whose cluster `default` has registered its hosts' role and admitted one instance. */
async function startAdmitting(options: WorldOptions = {}): Promise<Admitting> {
  await using started = new AsyncDisposableStack();
  const sts = started.use(await startFakeSts());
  const world = started.use(await startWorld({ ...options, callerIdentity: stsCallerIdentity(sts.endpoint) }));
  await registerHostRole(world.control.deps, { roleId, cluster: 'default' });
  await admitInstances(world.control.deps, 'default', [instanceId]);
  const all = started.move();
  return {
    world,
    sts,
    instance: new Instance(world, sts, instanceId),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const refusal = (message: string, code = 'AccessDeniedException') => ({
  code,
  message: expect.stringContaining(message),
});

describe('an instance of the cluster’s role', () => {
  it.each([true, false])('becomes a host by its proof alone (STS answers JSON: %s)', async (knowsJson) => {
    await using started = await startAdmitting();
    const { world, sts, instance } = started;
    sts.knowsJson = knowsJson;
    const host = await instance.join();
    expect(await hostView(world, instanceId)).toMatchObject({
      status: 'ACTIVE',
      hostName: instanceId,
      ec2InstanceId: instanceId,
    });
    await world.register('job');
    expect((await world.call('RunTask', { taskDefinition: 'job' })).tasks).toHaveLength(1);
    expect((await host.fetch())?.tasks).toHaveLength(1);
  });

  it('is the same host when it registers again, and STS is not asked', async () => {
    await using started = await startAdmitting();
    const { sts, instance } = started;
    const host = await instance.join();
    const before = host.hostId;
    sts.fault = 'broken';
    await instance.register(host);
    expect(host.hostId).toBe(before);
    expect(sts.asked).toBe(1);
  });

  it('has one key: a second one is refused, also when both come at once', async () => {
    await using started = await startAdmitting();
    const { world, instance } = started;
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => instance.host()).map((host) => instance.register(host)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(instance.register(instance.host())).rejects.toMatchObject(
      refusal('is a host already, with another key', 'ConflictException'),
    );
    expect((await world.call('GetHosts', {})).hosts).toHaveLength(1);
  });

  it('is named by its id, and is of the cluster of its role', async () => {
    await using started = await startAdmitting();
    const { world, instance } = started;
    const host = instance.host();
    await expect(instance.register(host, { name: 'favourite' })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(instanceId),
    });
    await world.call('CreateCluster', { clusterName: 'other' });
    await expect(instance.register(host, { cluster: 'other' })).rejects.toMatchObject(refusal('the cluster other'));
  });

  it('learns where its sockets are', async () => {
    const sockets = { wake: 'wss://abc.execute-api.us-east-1.amazonaws.com/live' };
    await using started = await startAdmitting({ settings: { sockets } });
    expect(await started.instance.register(started.instance.host())).toMatchObject({ sockets });
  });
});

describe('not admitted is', () => {
  it('an instance that nobody admitted, or that was dismissed', async () => {
    await using started = await startAdmitting();
    const { world, sts, instance } = started;
    const stranger = new Instance(world, sts, 'i-0fedcba9876543210');
    await expect(stranger.register(stranger.host())).rejects.toMatchObject(
      refusal('is not an instance that was admitted'),
    );
    await dismissInstances(world.control.deps, 'default', [instanceId]);
    await expect(instance.register(instance.host())).rejects.toMatchObject(
      refusal('is not an instance that was admitted'),
    );
  });

  it('an admitted instance of another role, or of one that was forgotten', async () => {
    await using started = await startAdmitting();
    const { world, sts, instance } = started;
    const other = new Instance(world, sts, instanceId, 'AROAANOTHERROLE000000');
    await expect(other.register(other.host())).rejects.toMatchObject(refusal('is not of a role'));
    await forgetHostRole(world.control.deps, { roleId, cluster: 'default' });
    await expect(instance.register(instance.host())).rejects.toMatchObject(refusal('is not of a role'));
  });

  it('whoever assumed the role elsewhere, whatever he calls his session', async () => {
    await using started = await startAdmitting();
    const { world, sts } = started;
    const elsewhere = new Instance(world, sts, 'deploy-session');
    await expect(elsewhere.register(elsewhere.host())).rejects.toMatchObject(
      refusal('deploy-session is not an instance that was admitted'),
    );
    // Another account's role whose session is named like our instance.
    const impostor = new Instance(world, sts, instanceId, 'AROAIMPOSTOR000000000');
    await expect(impostor.register(impostor.host())).rejects.toMatchObject(refusal('is not of a role'));
    expect((await world.call('GetHosts', {})).hosts).toEqual([]);
  });

  it('an instance of another cluster’s role, though it was admitted here', async () => {
    await using started = await startAdmitting();
    const { world, sts } = started;
    await world.call('CreateCluster', { clusterName: 'other' });
    const otherRole = 'AROAOTHERCLUSTER00000';
    await registerHostRole(world.control.deps, { roleId: otherRole, cluster: 'other' });
    const instance = new Instance(world, sts, instanceId, otherRole);
    const attempt = instance.register(instance.host(), { cluster: 'other' });
    await expect(attempt).rejects.toMatchObject(refusal('is not an instance that was admitted to the cluster other'));
  });

  it('anybody where the control plane has no STS', async () => {
    await using sts = await startFakeSts();
    await using world = await startWorld();
    const instance = new Instance(world, sts, instanceId);
    await expect(instance.register(instance.host())).rejects.toMatchObject(refusal('by join token only'));
    expect(sts.asked).toBe(0);
  });
});

describe('a proof', () => {
  it('that was stolen is worth nothing with another key', async () => {
    await using started = await startAdmitting();
    const { world, sts, instance } = started;
    const [owner, thief] = [instance.host(), instance.host()];
    const stolen = await instance.proof(owner.publicKey);
    const attempt = thief.register(undefined, { instanceProof: stolen });
    await expect(attempt).rejects.toMatchObject(refusal("for the registration's own key"));
    const digest = createHash('sha256').update(thief.publicKey).digest('hex');
    const changed = { headers: { ...stolen.headers, [instanceProof.keyHeader]: digest } };
    expect(sts.asked).toBe(0);
    // STS is who sees that the header was changed after it was signed.
    await expect(thief.register(undefined, { instanceProof: changed })).rejects.toMatchObject(
      refusal('The request signature we calculated does not match'),
    );
    expect((await world.call('GetHosts', {})).hosts).toEqual([]);
    await owner.register(undefined, { instanceProof: stolen });
  });

  it('is of this moment', async () => {
    await using started = await startAdmitting();
    const { world, instance } = started;
    const host = instance.host();
    const old = await instance.proof(host.publicKey);
    world.advance(instanceProof.maxSkewSeconds + 1);
    await expect(host.register(undefined, { instanceProof: old })).rejects.toMatchObject(refusal('must be signed now'));
    const undated = { headers: { ...(await instance.proof(host.publicKey)).headers, 'x-amz-date': 'now' } };
    await expect(host.register(undefined, { instanceProof: undated })).rejects.toMatchObject(
      refusal('must be signed now'),
    );
  });

  it('is for this region, and for nothing but what everybody signs', async () => {
    await using started = await startAdmitting();
    const { world, sts, instance } = started;
    const host = instance.host();
    const register = (headers: Record<string, string>) => host.register(undefined, { instanceProof: { headers } });
    const elsewhere = await instance.proof(host.publicKey, 'eu-west-1');
    await expect(register(elsewhere.headers)).rejects.toMatchObject(refusal('for the region us-east-1'));
    const { headers } = await instance.proof(host.publicKey);
    const wrong: Record<string, string>[] = [
      { ...headers, 'x-amz-target': 'more' },
      { ...headers, 'content-length': '3' },
      Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'x-amz-security-token')),
      { ...headers, host: 'sts.example.com' },
      { ...headers, 'content-type': 'application/json' },
      { ...headers, authorization: (headers.authorization ?? '').replace('/sts/', '/iam/') },
      { ...headers, authorization: 'Bearer x' },
      await signedWithoutKey(instance.credentials, host.publicKey, world.now()),
    ];
    for (const each of wrong) {
      await expect(register(each)).rejects.toMatchObject(refusal("The proof of the instance's role must"));
    }
    expect(sts.asked).toBe(0);
    await register(headers);
  });

  it('with credentials that STS does not take is refused in its own words, in JSON and XML', async () => {
    await using started = await startAdmitting();
    const { sts, instance } = started;
    sts.expire(instance.credentials);
    const why = refusal('The security token included in the request is expired');
    await expect(instance.register(instance.host())).rejects.toMatchObject(why);
    sts.knowsJson = false;
    await expect(instance.register(instance.host())).rejects.toMatchObject(why);
  });

  it.each([{ status: 500, code: 'InternalFailure' }, { status: 400, code: 'Throttling' }, 'broken' as const])(
    'can be sent again where STS fails: %o',
    async (fault) => {
      await using started = await startAdmitting();
      const { sts, instance } = started;
      sts.fault = fault;
      await expect(instance.register(instance.host())).rejects.toMatchObject({
        status: 503,
        code: 'ServiceUnavailableException',
      });
      sts.fault = undefined;
      await instance.register(instance.host());
    },
  );
});

describe('the capacity provider of an instance’s host', () => {
  const claiming = { attributes: { 'gantry.capacity-provider': 'claimed', rack: '7' } };
  const attributesOf = async (world: World) => {
    const { attributes } = await hostView(world, instanceId);
    return Object.fromEntries(attributes.map(({ name, value }) => [name, value]));
  };

  it('is the one that bought it, whatever its agent claims, also after it is back', async () => {
    await using started = await startAdmitting();
    const { world, sts } = started;
    const bought = new Instance(world, sts, 'i-0fedcba9876543210');
    await admitInstances(world.control.deps, 'default', [bought.id], 'pool');
    const host = bought.host();
    await bought.register(host, claiming);
    const [hostId = ''] = await world.control.deps.recent.hostIds('default');
    const seen = async () => (await getHostCapacity(world.table, 'default', hostId))?.attributes;
    expect(await seen()).toEqual({ rack: '7', 'gantry.capacity-provider': 'pool' });
    await host.register(undefined, { attributes: { 'gantry.capacity-provider': 'another', rack: '8' } });
    expect(await seen()).toEqual({ rack: '8', 'gantry.capacity-provider': 'pool' });
  });

  it('is none where a stack or an operator admitted it', async () => {
    await using started = await startAdmitting();
    const { world, instance } = started;
    await instance.register(instance.host(), claiming);
    expect(await attributesOf(world)).toEqual({ rack: '7' });
  });
});

describe('roles and instances', () => {
  it('are registered and admitted as often as one likes, each to one cluster', async () => {
    await using started = await startAdmitting();
    const { world, instance } = started;
    const { deps } = world.control;
    await world.call('CreateCluster', { clusterName: 'other' });
    await registerHostRole(deps, { roleId, cluster: 'default' });
    await expect(registerHostRole(deps, { roleId, cluster: 'other' })).rejects.toMatchObject({
      code: 'ConflictException',
    });
    await forgetHostRole(deps, { roleId, cluster: 'other' });
    await expect(admitInstances(deps, 'other', [instanceId])).rejects.toMatchObject({ code: 'ConflictException' });
    await expect(admitInstances(deps, 'nowhere', [instanceId])).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
    await dismissInstances(deps, 'other', [instanceId]);
    const { hostId } = await instance.join();
    // What has become a host stays one.
    await dismissInstances(deps, 'default', [instanceId]);
    const [admitted] = await admitInstances(deps, 'default', [instanceId, instanceId]);
    expect(admitted).toMatchObject({ instanceId, hostId });
    if (admitted !== undefined) {
      expect((await world.table.commit([claimInstance(admitted, 'f'.repeat(32))])).outcome).toBe('refused');
    }
  });
});

/** Signed with the role's credentials, but so that the header with the key could be changed. */
async function signedWithoutKey(
  credentials: StsCredentials,
  publicKey: string,
  now: number,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    credentials,
    region: 'us-east-1',
    service: 'sts',
    sha256: Sha256,
    applyChecksum: false,
  });
  const host = stsHost('us-east-1');
  const keyDigest = createHash('sha256').update(publicKey).digest('hex');
  const { headers } = await signer.sign(
    {
      method: instanceProof.method,
      protocol: 'https:',
      hostname: host,
      path: instanceProof.path,
      headers: { host, 'content-type': instanceProof.contentType, [instanceProof.keyHeader]: keyDigest },
      body: instanceProof.body,
    },
    { signingDate: new Date(now), unsignableHeaders: new Set([instanceProof.keyHeader]) },
  );
  return headers;
}
