/** What one host can do to another over HTTP: nothing. Real requests to the server, signed by hosts that are really registered. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hostPaths, signatureParameters } from '../../core/host-protocol.ts';
import { contentDigest, signatureBase, signatureHeaders } from '../../core/host-signature.ts';
import type { TaskObservation } from '../../core/model/task.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
let victim: ScriptedHost;
let attacker: ScriptedHost;
/** Runs on the victim. */
let taskId: string;

beforeEach(async () => {
  api = await startApi();
  victim = await api.host({ name: 'victim' });
  const container = { name: 'app', image: 'busybox', memory: 64, environment: [{ name: 'SECRET', value: 'hunter2' }] };
  await api.wire('RegisterTaskDefinition', { family: 'job', containerDefinitions: [container] });
  const { body } = await api.wire('RunTask', { taskDefinition: 'job' });
  taskId = (body as { tasks: { taskArn: string }[] }).tasks[0]?.taskArn.split('/').at(-1) ?? '';
  await victim.obey();
  attacker = await api.host({ name: 'attacker' });
});
afterEach(() => api[Symbol.asyncDispose]());

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers: Record<string, string>;
}

async function send({ method, path, body, headers }: Sent): Promise<{ status: number; code: unknown; text: string }> {
  const response = await fetch(new URL(path, api.endpoint), {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const { code } = text.startsWith('{') ? (JSON.parse(text) as { code?: string }) : { code: undefined };
  return { status: response.status, code, text };
}

const seen = async () => {
  const { body } = await api.rest('GET', `/v1/clusters/default/tasks/${taskId}`);
  return (body as { task: { lastStatus: string; version: number } }).task;
};

const observation = (sequence: number): TaskObservation => ({
  status: 'STOPPED',
  sequence,
  acceptedAt: 1,
  stoppedAt: 2,
  containers: [{ name: 'app', status: 'STOPPED', exitCode: 66, networkBindings: [] }],
});

const routes = (hostId: string): readonly (readonly ['GET' | 'POST', string])[] => [
  ['GET', hostPaths.desired(hostId)],
  ['POST', hostPaths.report(hostId)],
  ['POST', hostPaths.heartbeat(hostId)],
  ['POST', hostPaths.notice(hostId)],
  ['GET', hostPaths.self(hostId)],
  ['POST', hostPaths.leave(hostId)],
];

/** The status that the upgrade of a socket is answered. */
async function dialled(path: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(new URL(path, api.endpoint.replace('http:', 'ws:')), { headers });
  const [what, answer] = await Promise.race([
    once(socket, 'open').then(() => ['open'] as const),
    once(socket, 'unexpected-response').then(([, response]) => ['refused', response.statusCode] as const),
  ]);
  socket.on('error', () => {});
  socket.terminate();
  return what === 'open' ? 101 : answer;
}

describe('a host', () => {
  it('reads its own desired set, and no other host’s, whatever it claims to be', async () => {
    const [own, foreign] = [hostPaths.desired(attacker.hostId), hostPaths.desired(victim.hostId)];
    const mine = await send({ method: 'GET', path: own, headers: attacker.signed('GET', own, '') });
    expect(mine).toMatchObject({ status: 200, text: expect.not.stringContaining('hunter2') });
    expect(await victim.fetch()).toBeUndefined();
    for (const [method, path] of routes(victim.hostId)) {
      // By its own name, and by the victim's with its own key.
      const honest = await send({ method, path, headers: attacker.signed(method, path, '') });
      expect(honest, path).toMatchObject({ status: 401, code: 'UnrecognizedClientException' });
      const forged = await send({ method, path, headers: attacker.signed(method, path, '', victim.hostId) });
      expect(forged, path).toMatchObject({ status: 401, code: 'InvalidSignatureException' });
      expect([honest.text, forged.text].join()).not.toContain('hunter2');
    }
    // A signature for its own path is worth nothing on another's.
    const moved = await send({ method: 'GET', path: foreign, headers: attacker.signed('GET', own, '') });
    expect(moved.status).toBe(401);
  });

  it('reports its own tasks, and changes nothing of another host’s', async () => {
    const before = await seen();
    const { storeEpoch, hostEpoch } = attacker;
    const tasks = [{ taskId, desiredVersion: 1, observation: observation(99) }];
    for (const full of [false, true]) {
      const answer = await attacker.reportExactly({ storeEpoch, hostEpoch, full, tasks });
      expect(answer.forget).toEqual([taskId]);
    }
    expect(await seen()).toEqual(before);
    const body = JSON.stringify({ storeEpoch, hostEpoch, full: false, tasks });
    const path = hostPaths.report(victim.hostId);
    const forged = await send({
      method: 'POST',
      path,
      body,
      headers: attacker.signed('POST', path, body, victim.hostId),
    });
    expect(forged).toMatchObject({ status: 401, code: 'InvalidSignatureException' });
    expect(await seen()).toEqual(before);
    // The victim still may.
    victim.end(taskId, 0);
    await victim.report();
    expect((await seen()).lastStatus).toBe('STOPPED');
  });

  it('opens its own sockets, and no other host’s', async () => {
    for (const socket of ['wake', 'channel'] as const) {
      const [own, foreign] = [hostPaths[socket](attacker.hostId), hostPaths[socket](victim.hostId)];
      expect(await dialled(own, attacker.signed('GET', own, '')), own).toBe(101);
      expect(await dialled(foreign, attacker.signed('GET', foreign, ''))).toBe(401);
      expect(await dialled(foreign, attacker.signed('GET', foreign, '', victim.hostId))).toBe(401);
      expect(await dialled(foreign, victim.signed('GET', hostPaths.desired(victim.hostId), ''))).toBe(401);
    }
  });

  it('leaves by its own key alone, and is none from then on', async () => {
    const leave = (host: ScriptedHost, tasks: string, as = host.hostId, signer = host) => {
      const [path, body] = [hostPaths.leave(as), JSON.stringify({ tasks })];
      return send({ method: 'POST', path, body, headers: signer.signed('POST', path, body, signer.hostId) });
    };
    expect((await leave(victim, 'abandon', victim.hostId, attacker)).status).toBe(401);
    expect(JSON.parse((await leave(victim, 'wait')).text)).toMatchObject({ status: 'DRAINING', tasks: 1 });
    expect(JSON.parse((await leave(victim, 'stop')).text)).toMatchObject({ status: 'DRAINING', tasks: 1 });
    await victim.obey();
    await victim.report();
    expect(await seen()).toMatchObject({
      lastStatus: 'STOPPED',
      stoppedReason: 'The host was taken out of the cluster.',
    });
    for (const again of [1, 2])
      expect(JSON.parse((await leave(victim, 'wait')).text), `${again}`).toMatchObject({
        status: 'INACTIVE',
        tasks: 0,
      });
    // Its key opens nothing any more: no registration, and no task to be told of.
    await expect(victim.register(undefined)).rejects.toMatchObject({ status: 403, code: 'AccessDeniedException' });
    victim.etag = undefined;
    expect((await victim.fetch())?.tasks).toEqual([]);
    expect((await leave(attacker, 'other')).status).toBe(400);
    const { body } = await api.rest('GET', '/v1/clusters/default/hosts');
    expect((body as { hosts: { hostName: string }[] }).hosts.map(({ hostName }) => hostName)).toEqual(['attacker']);
  });

  it('gains nothing by a request that is sent twice while its signature is good', async () => {
    const path = hostPaths.report(victim.hostId);
    const { storeEpoch, hostEpoch } = victim;
    const running = JSON.stringify({ storeEpoch, hostEpoch, full: true, tasks: [] });
    const replayed = { method: 'POST', path, body: running, headers: victim.signed('POST', path, running) } as const;
    await send(replayed);
    victim.end(taskId, 0);
    await victim.report();
    const ended = await seen();
    const hosts = (await api.rest('GET', '/v1/clusters/default/hosts')).body;
    expect((await send(replayed)).status).toBe(200);
    const beat = hostPaths.heartbeat(victim.hostId);
    const heartbeat = { method: 'POST', path: beat, headers: victim.signed('POST', beat, '') } as const;
    expect([(await send(heartbeat)).status, (await send(heartbeat)).status]).toEqual([200, 200]);
    expect(await seen()).toEqual(ended);
    expect((await api.rest('GET', '/v1/clusters/default/hosts')).body).toEqual(hosts);
  });

  it('cannot take over another by registering with its public key', async () => {
    const body = { ...registration(victim.publicKey, 'victim'), token: 'x' };
    const text = JSON.stringify(body);
    const path = hostPaths.register;
    for (const keyId of [victim.publicKey, attacker.publicKey, victim.hostId]) {
      const headers = attacker.signed('POST', path, text, keyId);
      expect(await send({ method: 'POST', path, body: text, headers })).toMatchObject({
        status: 401,
        code: 'InvalidSignatureException',
      });
    }
  });

  it('cannot be impersonated by repeating its requests: bodies are signed, and a signature is over in minutes', async () => {
    const path = hostPaths.report(victim.hostId);
    const { storeEpoch, hostEpoch } = victim;
    const body = JSON.stringify({ storeEpoch, hostEpoch, full: false, tasks: [] });
    const headers = victim.signed('POST', path, body);
    expect((await send({ method: 'POST', path, body, headers })).status).toBe(200);
    const other = JSON.stringify({
      storeEpoch,
      hostEpoch,
      full: false,
      tasks: [{ taskId, desiredVersion: 1, observation: observation(99) }],
    });
    expect(await send({ method: 'POST', path, body: other, headers })).toMatchObject({
      status: 401,
      code: 'InvalidSignatureException',
    });
    // Recomputing the digest of the body does not help: it is what was signed.
    const digest = contentDigest(createHash('sha256').update(other).digest('base64'));
    const patched = { ...headers, 'content-digest': digest };
    expect((await send({ method: 'POST', path, body: other, headers: patched })).status).toBe(401);
    expect((await seen()).lastStatus).toBe('RUNNING');
  });

  it.each([-1, 1])('has its signatures refused once they are too far from now (%i)', async (direction) => {
    const pair = generateKeyPairSync('ed25519');
    const { headers, body } = signedRegistration(pair, direction * (signatureParameters.maxSkewSeconds + 5));
    expect(await send({ method: 'POST', path: hostPaths.register, body, headers })).toMatchObject({
      status: 401,
      code: 'InvalidSignatureException',
    });
    const fresh = signedRegistration(pair, direction * (signatureParameters.maxSkewSeconds - 30));
    // Then the token is what is wrong.
    expect(
      await send({ method: 'POST', path: hostPaths.register, body: fresh.body, headers: fresh.headers }),
    ).toMatchObject({
      status: 403,
      code: 'AccessDeniedException',
    });
  });

  it('that nobody admitted gets nothing, whatever id it names', async () => {
    for (const hostId of ['0'.repeat(32), 'x', '..%2f..', victim.hostId.toUpperCase()]) {
      for (const [method, path] of routes(hostId)) {
        const { status } = await send({ method, path, headers: attacker.signed(method, path, '', hostId) });
        expect(status, path).toBe(401);
      }
    }
  });

  it('gets nothing with a key of principals, nor a principal with a host’s paths', async () => {
    expect((await api.rest('GET', hostPaths.desired(victim.hostId))).status).toBe(401);
    const path = '/v1/clusters/default/tasks';
    expect((await send({ method: 'GET', path, headers: attacker.signed('GET', path, '') })).status).toBe(401);
  });
});

const registration = (publicKey: string, name: string) => ({
  protocolVersion: 1,
  cluster: 'default',
  name,
  publicKey,
  address: '127.0.0.1',
  agentVersion: '0.1.0',
  cpuUnits: 1,
  memoryMib: 1,
  reservedPorts: [],
  attributes: {},
});

function signedRegistration(pair: { publicKey: KeyObject; privateKey: KeyObject }, skewSeconds: number) {
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const body = JSON.stringify({ ...registration(publicKey, 'new'), token: 'guess' });
  const digest = contentDigest(createHash('sha256').update(body).digest('base64'));
  const covered = { method: 'POST', path: hostPaths.register, contentDigest: digest };
  const input = { createdSeconds: Math.floor(Date.now() / 1000) + skewSeconds, keyId: publicKey };
  const signature = sign(null, Buffer.from(signatureBase(covered, input)), pair.privateKey).toString('base64');
  return { body, headers: { ...signatureHeaders(covered, input, signature) } };
}
