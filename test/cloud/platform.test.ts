import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fixtureStack } from './fixture/stack.ts';
import type { Identity } from './iam/identities.ts';
import { statementSchema } from './iam/policy.ts';
import { eventually, patience } from './patience.ts';
import { Platform } from './platform.ts';

describe('the platform', patience, () => {
  let stack: ReturnType<typeof fixtureStack>;
  let platform: Platform;

  beforeEach(async () => {
    stack = fixtureStack();
    platform = await Platform.deploy(stack);
  }, patience.timeout);

  afterEach(async () => {
    await platform?.[Symbol.asyncDispose]();
    stack[Symbol.dispose]();
  }, patience.timeout);

  const url = (): string => platform.outputs.Url ?? '';
  const sockets = () => [...platform.world.webSocketApis.values()][0] ?? expect.fail();
  const lambda = () => [...platform.world.functions.values()][0] ?? expect.fail();

  /** Unlike fetch, sends the path as it is given. */
  async function send(path: string, { method = 'GET', headers = {}, body = '' as string | Buffer } = {}) {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const sent = request(url(), { method, path, headers }, (response) => {
      text(response).then((content) => resolve({ status: response.statusCode ?? 0, text: content }), reject);
    });
    sent.on('error', reject).end(body);
    return promise;
  }

  const eventOf = (answer: { text: string }) => JSON.parse(answer.text).event;

  const caller = (name: string, resource: string): Identity => {
    const statement = statementSchema.parse({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: resource });
    return platform.world.identities.add(`arn:aws:iam::000000000000:user/${name}`, () => [statement]);
  };

  async function signed(identity: Identity, path: string, service = 'execute-api') {
    const signer = new SignatureV4({ credentials: identity, region: 'us-east-1', service, sha256: Sha256 });
    const { host, hostname } = new URL(url());
    const { headers } = await signer.sign({
      method: 'GET',
      protocol: 'http:',
      hostname,
      path,
      headers: { host },
      query: {},
    });
    return send(path, { headers });
  }

  describe('as an HTTP API', () => {
    it('hands a request on as an event of payload format 2.0, with its traps', async () => {
      const answer = await send('/a%2Fb%3Fc/d?x=1&x=2&y=%20', { headers: { Cookie: 'a=1; b=2', 'X-Two': ['1', '2'] } });
      expect(eventOf(answer)).toMatchObject({
        version: '2.0',
        routeKey: 'ANY /{proxy+}',
        rawPath: '/a/b',
        rawQueryString: 'x=1&x=2&y=%20',
        queryStringParameters: { x: '1,2', y: ' ' },
        cookies: ['a=1', 'b=2'],
        headers: { 'x-two': expect.stringMatching(/^1, ?2$/) },
        requestContext: { http: { method: 'GET', path: '/a/b' }, stage: '$default' },
        isBase64Encoded: false,
      });
    });

    it.each([
      ['application/json', false],
      ['text/plain; charset=utf-8', false],
      ['application/x-amz-json-1.1', true],
      ['application/octet-stream', true],
    ])('sends a body of %s in base64: %s', async (type, isBase64Encoded) => {
      const event = eventOf(await send('/x', { method: 'POST', headers: { 'content-type': type }, body: '{"ä":1}' }));
      expect(event.isBase64Encoded).toBe(isBase64Encoded);
      expect(Buffer.from(event.body, isBase64Encoded ? 'base64' : 'utf8').toString('utf8')).toBe('{"ä":1}');
    });

    it('tells the function where the other parts of the stack are, on loopback', async () => {
      const { environment } = JSON.parse((await send('/x')).text);
      expect(environment).toMatchObject({
        TABLE: 'Gantry-Table',
        API_URL: url(),
        SOCKETS: `ws://${sockets().authority}/live`,
      });
    });

    it('lets through a route of IAM only who signed for it and may call it', async () => {
      const allowed = caller('allowed', 'arn:aws:execute-api:us-east-1:000000000000:*/$default/GET/closed/mine');
      expect(eventOf(await signed(allowed, '/closed/mine'))).toMatchObject({
        routeKey: 'GET /closed/{name}',
        pathParameters: { name: 'mine' },
        requestContext: { authorizer: { iam: { userArn: 'arn:aws:iam::000000000000:user/allowed' } } },
      });
      expect((await send('/closed/mine')).status).toBe(403);
      expect((await signed(allowed, '/closed/other')).status).toBe(403);
      expect((await signed(allowed, '/closed/mine', 'ecs')).status).toBe(403);
      expect((await signed({ ...allowed, secretAccessKey: 'wrong' }, '/closed/mine')).status).toBe(403);
      expect(platform.world.identities.denials).toMatchObject([{ action: 'execute-api:Invoke' }]);
    });

    it('answers for the function where that fails, is too slow or is given too much', async () => {
      expect(await send('/fails')).toEqual({ status: 500, text: '{"message":"Internal Server Error"}' });
      lambda().beforeInvoke = () => new Promise((resolve) => setTimeout(resolve, 3000).unref());
      expect(await send('/slow')).toEqual({ status: 503, text: '{"message":"Service Unavailable"}' });
      lambda().beforeInvoke = undefined;
      const large = { method: 'POST', headers: { 'content-type': 'text/plain' } };
      expect((await send('/x', { ...large, body: Buffer.alloc(10 * 1024 * 1024 + 1, 'x') })).status).toBe(413);
      expect((await send('/x', { ...large, body: Buffer.alloc(6 * 1024 * 1024, 'x') })).status).toBe(413);
      expect((await send('/', { headers: { 'x-amz-target': 'Service.Operation' } })).status).toBe(403);
    });
  });

  describe('as a WebSocket API', () => {
    const dial = (headers: Record<string, string> = {}) =>
      new WebSocket(`ws://${sockets().authority}/live`, { headers });
    const until = (socket: WebSocket, event: 'open' | 'close') =>
      new Promise<unknown>((resolve, reject) => socket.once(event, resolve).once('error', reject));
    const told = () =>
      lambda()
        .output.join('')
        .trim()
        .split('\n')
        .filter((line) => line !== '');

    const manage = async (method: string, id: string, identity = callerOfFunction()) => {
      const authorization = `AWS4-HMAC-SHA256 Credential=${identity}/x`;
      const response = await fetch(`http://${sockets().authority}/live/@connections/${encodeURIComponent(id)}`, {
        method,
        headers: { authorization },
        ...(method === 'POST' && { body: 'wake' }),
      });
      return [response.status, response.headers.get('x-amzn-errortype')];
    };
    const callerOfFunction = () => lambda().config.credentials.accessKeyId;

    it('lets a socket in, posts frames to it, and says when it has gone', async () => {
      const socket = dial();
      await until(socket, 'open');
      const [id = ''] = sockets().connectionIds;
      const frame = new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString('utf8'))));
      expect(await manage('POST', id)).toEqual([200, null]);
      expect(await frame).toBe('wake');
      expect(await manage('DELETE', id)).toEqual([403, 'ForbiddenException']);
      expect(await manage('POST', id, 'nobody')).toEqual([403, 'ForbiddenException']);
      socket.send('anything');
      socket.close();
      await until(socket, 'close');
      await eventually(() => expect(told()).toEqual([`CONNECT ${id}`, `DISCONNECT ${id}`]));
      expect(await manage('POST', id)).toEqual([410, 'GoneException']);
    });

    it('refuses whom the function refuses, and what is no stage', async () => {
      await expect(until(dial({ 'X-Refuse': 'yes' }), 'open')).rejects.toThrow('403');
      await expect(until(new WebSocket(`ws://${sockets().authority}/other`), 'open')).rejects.toThrow('403');
    });

    it('ends connections that are idle or old, and lets a disconnect be held back', async () => {
      sockets().idleMs = 50;
      const released = Promise.withResolvers<void>();
      sockets().beforeDisconnect = () => released.promise;
      const idle = dial();
      await until(idle, 'open');
      await until(idle, 'close');
      sockets().idleMs = 60_000;
      sockets().lifetimeMs = 50;
      const old = dial();
      await until(old, 'open');
      await until(old, 'close');
      expect(told().map((line) => line.split(' ')[0])).toEqual(['CONNECT', 'CONNECT']);
      released.resolve();
      await eventually(() => expect(told()).toHaveLength(4));
    });
  });
});
