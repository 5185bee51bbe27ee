/** Credentials of private registries over HTTP: kept, shown without passwords, and given to the host that needs them, and to no other. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import { createControlPlane } from '../../agent/control-plane/client.ts';
import { controlPlaneCredentials, type NamedCredentials } from '../../agent/control-plane/registry-credentials.ts';
import { openIdentity } from '../../agent/identity.ts';
import { createSecretBox } from '../../control/keys/secret-box.ts';
import { keys } from '../../control/store/keys.ts';
import { type DesiredTask, protocolVersion } from '../../core/host-protocol.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

const secretArn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:ghcr-AbCdEf';
const password = 'correct horse';
const path = '/v1/clusters/default/registry-credentials';

let api: ApiServer;
let directory: string;
let host: JoinedHost;
let stranger: JoinedHost;

const put = (body: object) => api.rest('PUT', path, { username: 'deploy', password, ...body });

interface JoinedHost {
  readonly hostId: string;
  readonly controlPlane: ReturnType<typeof createControlPlane>;
  /** As the agent asks. */
  readonly ask: NamedCredentials;
  /** Fetches its desired set. */
  readonly tasks: () => Promise<DesiredTask[]>;
}

/** With the agent's own key, client and code. */
async function join(name: string, memoryMib: number): Promise<JoinedHost> {
  const identity = await openIdentity(`${directory}/${name}`, pino({ level: 'silent' }));
  const controlPlane = createControlPlane(api.endpoint, identity, systemClock);
  const token = await api.control.joinTokens.create({ cluster: 'default', reusable: false });
  const { hostId, storeEpoch } = await controlPlane.register({
    protocolVersion,
    token,
    cluster: 'default',
    name,
    publicKey: identity.publicKey,
    address: '127.0.0.1',
    agentVersion: '0.1.0',
    cpuUnits: 1024,
    memoryMib,
    reservedPorts: [],
    attributes: { 'ecs.os-type': 'linux' },
  });
  await identity.admit({ hostId, cluster: 'default', storeEpoch });
  const signal = AbortSignal.timeout(10_000);
  const fetched = async () => (await controlPlane.fetchDesired(hostId, undefined, signal))?.set;
  await controlPlane.report(
    hostId,
    { storeEpoch, hostEpoch: (await fetched())?.hostEpoch ?? 0, full: true, tasks: [] },
    signal,
  );
  const ask = controlPlaneCredentials(controlPlane, identity, systemClock);
  return { hostId, controlPlane, ask, tasks: async () => (await fetched())?.tasks ?? [] };
}

beforeAll(async () => {
  directory = mkdtempSync(`${tmpdir()}/gantry-registries-`);
  api = await startApi({ secretBox: createSecretBox(randomBytes(32)) });
  host = await join('one', 1024);
  stranger = await join('two', 1);
  const containerDefinitions = [
    { name: 'app', image: 'registry.example.com:5000/team/app:1', memory: 32 },
    {
      name: 'side',
      image: 'ghcr.io/team/side',
      memory: 32,
      repositoryCredentials: { credentialsParameter: secretArn },
    },
    { name: 'public', image: 'busybox', memory: 32 },
  ];
  await api.wire('RegisterTaskDefinition', { family: 'private', containerDefinitions });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

describe('what is kept', () => {
  it('is answered without its password, by the name that containers use', async () => {
    expect(await put({ registry: 'registry.example.com:5000' })).toMatchObject({
      status: 200,
      body: { registryCredentials: { name: 'registry.example.com:5000', use: 'ALL_IMAGES' } },
    });
    await put({ registry: 'ghcr.io', name: secretArn, username: 'ci' });
    const { body } = await api.rest('GET', path);
    expect(body).toMatchObject({
      registryCredentials: [
        { name: secretArn, registry: 'ghcr.io', username: 'ci', use: 'NAMED' },
        { name: 'registry.example.com:5000', username: 'deploy', use: 'ALL_IMAGES' },
      ],
    });
    expect(JSON.stringify(body)).not.toContain(password);
  });

  it.each([
    [{ registry: 'https://ghcr.io' }, 'registry'],
    [{ registry: 'ghcr.io/team' }, 'registry'],
    [{ registry: 'ghcr.io', name: 'index.docker.io' }, 'name'],
    [{ registry: 'ghcr.io', name: 'two words' }, 'name'],
    [{ registry: 'ghcr.io', username: 'a:b' }, 'username'],
    [{ registry: 'ghcr.io', password: '' }, 'password'],
  ])('is refused where it is wrong: %j', async (body, field) => {
    expect(await put(body)).toMatchObject({ status: 400, body: { code: 'InvalidParameterException', field } });
  });

  it('stays out of the store, the audit log and the task definition', async () => {
    const { body } = await api.rest('GET', '/v1/audit?operation=PutRegistryCredentials');
    expect(body).toMatchObject({
      entries: expect.arrayContaining([expect.objectContaining({ withheld: ['username', 'password'] })]),
    });
    expect(JSON.stringify(body)).not.toContain(password);
    const stored = await api.control.deps.table.get(keys.registryCredentials('default', secretArn));
    expect(stored).toMatchObject({ data: { username: 'ci' } });
    expect(JSON.stringify(stored)).not.toContain(password);
    const described = await api.wire('DescribeTaskDefinition', { taskDefinition: 'private' });
    expect(described.body).toMatchObject({
      taskDefinition: {
        containerDefinitions: [{}, { repositoryCredentials: { credentialsParameter: secretArn } }, {}],
      },
    });
  });
});

describe('a host', () => {
  it('gets what its own tasks name, and knows only names until it asks', async () => {
    const registry = 'registry.example.com:5000';
    await expect(host.ask(registry, registry)).rejects.toThrow(/answered 403.*No task of this host/);
    await api.wire('RunTask', { taskDefinition: 'private' });
    const tasks = await host.tasks();
    const named = tasks[0]?.spec.containers.map(({ registryCredentials }) => registryCredentials);
    expect(named).toEqual([registry, secretArn, undefined]);
    expect(JSON.stringify(tasks)).not.toContain(password);
    expect(await host.ask(registry, registry)).toEqual({ username: 'deploy', password });
    expect(await host.ask('ghcr.io', secretArn)).toEqual({ username: 'ci', password });
    await expect(host.ask('docker.io', secretArn)).rejects.toThrow(/are for ghcr.io/);
  });

  it('gets nothing that only others need', async () => {
    await expect(stranger.ask('ghcr.io', secretArn)).rejects.toThrow(/answered 403.*No task of this host/);
  });

  it('sees the password only sealed to the key that it asks with', async () => {
    const { publicKey } = generateKeyPairSync('x25519');
    const asked = { name: secretArn, publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') };
    const answer = await host.controlPlane.registryCredentials(host.hostId, asked);
    expect(answer).toMatchObject({ registry: 'ghcr.io', username: 'ci', password: { sealed: expect.any(String) } });
    expect(JSON.stringify(answer)).not.toContain(password);
    const wrong = host.controlPlane.registryCredentials(host.hostId, { name: secretArn, publicKey: host.hostId });
    await expect(wrong).rejects.toThrow(/answered 400.*X25519/);
  });

  it('is told what to do where they were deleted', async () => {
    const { status } = await api.rest('DELETE', `${path}?name=${encodeURIComponent(secretArn)}`);
    expect(status).toBe(200);
    const again = await join('one', 1024); // As an agent that has started again.
    await expect(again.ask('ghcr.io', secretArn)).rejects.toThrow(/gantry registries login/);
    expect(await again.ask('docker.io', 'docker.io')).toBeUndefined();
    expect(await api.rest('DELETE', `${path}?name=${encodeURIComponent(secretArn)}`)).toMatchObject({ status: 404 });
  });
});
