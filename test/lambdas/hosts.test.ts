import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getConnection, getHostConnection } from '../../control/store/host-connections.ts';
import { hostPaths } from '../../core/host-protocol.ts';
import { wakeFrame } from '../../core/wake-frame.ts';
import { createHostsHandler } from '../../lambdas/hosts/handler.ts';
import type { HttpAnswer } from '../../lambdas/http.ts';
import { framePoster } from '../../lambdas/post-frame.ts';
import { gatewayWake } from '../../lambdas/wake-hosts.ts';
import { connectEvent, disconnectEvent } from '../cloud/gateway/web-socket-events.ts';
import { ScriptedHost } from '../control/support/scripted-host.ts';
import { startWorld, type World } from '../control/support/world.ts';
import { restEvent } from './support/events.ts';
import { type FakeGateway, startGateway } from './support/gateway.ts';

const wakePath = '/prod';
const socketApi = { apiId: 'ws1', stage: 'prod', region: 'us-east-1' };

let world: World;
let handle: (event: unknown) => Promise<HttpAnswer>;

beforeAll(async () => {
  world = await startWorld({ store: 'dynamodb' });
  handle = createHostsHandler(world.control.deps, { wakePath });
});
afterAll(() => world[Symbol.asyncDispose]());

let connections = 0;
const newConnection = (connectedAt: number) => {
  connections += 1;
  return { connectionId: `L0SM9cOFvHcCI${connections}=`, connectedAt, sourceIp: '127.0.0.1' };
};
type Connection = ReturnType<typeof newConnection>;

/** Signed as the agent signs its dial, header names in their own case. */
function dial(host: ScriptedHost, connection: Connection, path = wakePath): Promise<HttpAnswer> {
  const signed = Object.entries(host.signed('GET', path, ''));
  const rawHeaders = signed.flatMap(([name, value]) => [name.replaceAll(/(^|-)[a-z]/g, (c) => c.toUpperCase()), value]);
  const request = { rawHeaders, url: path } as Parameters<typeof connectEvent>[1];
  return handle(connectEvent(connection, request, socketApi));
}
const hangUp = ({ connectionId, connectedAt, sourceIp }: Connection): Promise<HttpAnswer> =>
  handle(disconnectEvent({ connectionId, connectedAt, sourceIp }, { code: 1001, reason: 'gone' }, socketApi));

const connectionOf = async ({ hostId }: ScriptedHost) => (await getHostConnection(world.table, hostId))?.connectionId;

let names = 0;
const newHost = (): Promise<ScriptedHost> => {
  names += 1;
  return world.host({ name: `host-${names}` });
};

describe('the routes of hosts', () => {
  const send = (host: ScriptedHost, method: 'GET' | 'POST', path: string, body = '') =>
    handle(restEvent({ method, target: path, headers: host.signed(method, path, body), body }));

  it('answer a host that signs for itself', async () => {
    const host = await newHost();
    const desired = await send(host, 'GET', hostPaths.desired(host.hostId));
    expect(desired.statusCode).toBe(200);
    expect(desired.headers.etag).toBeDefined();
  });

  it('refuse it the affairs of another', async () => {
    const [host, other] = [await newHost(), await newHost()];
    const refused = await send(host, 'GET', hostPaths.desired(other.hostId));
    expect(refused.statusCode).toBe(401);
    expect(JSON.parse(refused.body).code).toBe('UnrecognizedClientException');
  });
});

describe('the socket of a host', () => {
  it('is the one that it dialled last', async () => {
    const host = await newHost();
    const [first, second] = [newConnection(1000), newConnection(2000)];
    expect((await dial(host, first)).statusCode).toBe(200);
    expect(await connectionOf(host)).toBe(first.connectionId);
    expect((await dial(host, second)).statusCode).toBe(200);
    expect(await connectionOf(host)).toBe(second.connectionId);
  });

  it('stays when the end of an older one is told after its beginning', async () => {
    const host = await newHost();
    const [first, second] = [newConnection(1000), newConnection(2000)];
    await dial(host, first);
    await dial(host, second);
    expect((await hangUp(first)).statusCode).toBe(200);
    expect(await connectionOf(host)).toBe(second.connectionId);
    expect(await getConnection(world.table, first.connectionId)).toBeUndefined();
    await hangUp(second);
    expect(await connectionOf(host)).toBeUndefined();
    expect((await hangUp(second)).statusCode).toBe(200);
  });

  it('is not replaced by an older one whose beginning is told late', async () => {
    const host = await newHost();
    const [first, second] = [newConnection(1000), newConnection(2000)];
    await dial(host, second);
    expect((await dial(host, first)).statusCode).toBe(409);
    expect(await connectionOf(host)).toBe(second.connectionId);
  });

  it.each([
    [
      'a key that it does not know',
      (host: ScriptedHost, stranger: ScriptedHost) =>
        dial(Object.assign(stranger, { hostId: host.hostId }), newConnection(1)),
    ],
    ['a signature of another path', (host: ScriptedHost) => dial(host, newConnection(1), '/other')],
  ])('is refused with %s', async (_, dialling) => {
    const [host, stranger] = [await newHost(), new ScriptedHost(world.control)];
    expect((await dialling(host, stranger)).statusCode).toBe(401);
    expect(await connectionOf(host)).toBeUndefined();
  });

  it('is refused without a signature', async () => {
    const rawHeaders: string[] = [];
    const request = { rawHeaders, url: wakePath } as Parameters<typeof connectEvent>[1];
    expect((await handle(connectEvent(newConnection(1), request, socketApi))).statusCode).toBe(401);
  });
});

describe('waking hosts', () => {
  let gateway: FakeGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());
  beforeEach(() => {
    gateway.posted.length = 0;
    gateway.answer = () => 200;
  });

  const wake = (...hosts: readonly ScriptedHost[]) => {
    const credentials = () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' });
    const post = framePoster({ endpoint: gateway.endpoint, region: 'us-east-1', credentials });
    return gatewayWake(world.control.deps, post).hosts(hosts.map(({ hostId }) => hostId));
  };
  const connected = async (): Promise<{ host: ScriptedHost; connection: Connection }> => {
    const [host, connection] = [await newHost(), newConnection(world.now())];
    await dial(host, connection);
    return { host, connection };
  };

  it('posts one signed frame to the connection of each, and nothing to who has none', async () => {
    const [one, two, none] = [await connected(), await connected(), await newHost()];
    await wake(one.host, two.host, none);
    expect(gateway.posted.map(({ path }) => path).toSorted()).toEqual(
      [one, two]
        .map(({ connection }) => `/prod/@connections/${encodeURIComponent(connection.connectionId)}`)
        .toSorted(),
    );
    expect(gateway.posted[0]?.body).toBe(wakeFrame);
    expect(gateway.posted[0]?.authorization).toMatch(
      /Credential=AKIATEST\/\d{8}\/us-east-1\/execute-api\/aws4_request/,
    );
  });

  it('forgets a connection that is gone, but not the one that the host has since', async () => {
    const { host, connection } = await connected();
    const newer = newConnection(world.now() + 1000);
    gateway.answer = async () => {
      await dial(host, newer);
      return 410;
    };
    await wake(host);
    expect(await connectionOf(host)).toBe(newer.connectionId);
    expect(await getConnection(world.table, connection.connectionId)).toBeUndefined();
    gateway.answer = () => 410;
    await wake(host);
    expect(await connectionOf(host)).toBeUndefined();
  });

  it('gives up after half a second, keeps the connection, and wakes the others meanwhile', async () => {
    const [slow, quick] = [await connected(), await connected()];
    const slowPath = encodeURIComponent(slow.connection.connectionId);
    gateway.answer = (path) => (path.endsWith(slowPath) ? new Promise<number>(() => {}) : 200);
    const before = performance.now();
    await wake(slow.host, quick.host);
    expect(performance.now() - before).toBeLessThan(2000);
    expect(gateway.posted).toHaveLength(2);
    expect(await connectionOf(slow.host)).toBe(slow.connection.connectionId);
  });

  it('does not fail where the gateway does', async () => {
    const { host } = await connected();
    gateway.answer = () => 500;
    await expect(wake(host)).resolves.toBeUndefined();
  });
});
