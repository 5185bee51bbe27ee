/**
 * What only a raw socket can send: requests that are no HTTP, that two servers would read differently, and headers that are doubled,
 * folded or split. Each is refused as a client's fault or read in the one way that the signature covers; the server goes on.
 */
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { usualLimits } from '../../local/http-server.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { createFastSigner } from './fuzz/signer.ts';

let api: ApiServer;
let port: number;
beforeAll(async () => {
  // What never becomes a whole request is cut soon.
  api = await startApi({ limits: { ...usualLimits, headersMs: 100, requestMs: 150, idleMs: 50, lookMs: 30 } });
  port = Number(new URL(api.endpoint).port);
});
afterAll(async () => {
  // Whatever was asked, nothing was made.
  expect((await api.wire('ListClusters', {})).body).toEqual({
    clusterArns: ['arn:aws:ecs:us-east-1:000000000000:cluster/default'],
  });
  await api[Symbol.asyncDispose]();
});

/** All that comes back on a connection on which this is sent, and nothing else ever, until the server ends it. */
async function exchange(bytes: string | Uint8Array): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('error', () => {}); // A reset ends it, too.
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));

const sign = createFastSigner('us-east-1');

/** A signed request as lines: of what would make something if a trick went through. */
function signedLines(body: string, operation = 'CreateCluster'): string[] {
  const headers = {
    host: `127.0.0.1:${port}`,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
  };
  const signed = sign({ method: 'POST', target: '/', headers, body }, api.credentials, Date.now());
  return [
    'POST / HTTP/1.1',
    'connection: close',
    ...Object.entries(signed).map(([name, value]) => `${name}: ${value}`),
  ];
}

const body = '{"clusterName":"tricked"}';
const other = '{"clusterName":"smuggled"}';
const write = (lines: readonly string[], content: string): string => `${lines.join('\r\n')}\r\n\r\n${content}`;
const length = `content-length: ${body.length}`;
const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const inner = (): string => write([...signedLines(other), `content-length: ${other.length}`], other);

it('what is sent so without a trick is done', async () => {
  const text = write([...signedLines('{}', 'ListClusters'), 'content-length: 2'], '{}');
  expect(statusesOf(await exchange(text))).toEqual([200]);
});

it.each<readonly [what: string, bytes: () => string]>([
  ['no HTTP at all', () => '\u0000\u0001\u0002\u0003'],
  ['a greeting of TLS', () => '\u0016\u0003\u0001\u0002\u0000\u0001'],
  ['a preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', () => 'GET /\r\n\r\n'],
  ['another version', () => write(['GET /healthz HTTP/9.9', 'host: h', 'connection: close'], '')],
  ['an unknown method', () => write(['EAT / HTTP/1.1', 'host: h', 'connection: close'], '')],
  ['a tunnel', () => write(['CONNECT 127.0.0.1:22 HTTP/1.1', 'host: h', 'connection: close'], '')],
  ['no host', () => write(['POST / HTTP/1.1', length], body)],
  ['two hosts', () => write(['GET /v1/clusters HTTP/1.1', 'host: a', 'host: b', 'connection: close'], '')],
  ['a host that is none', () => write(['GET /v1/clusters HTTP/1.1', 'host: a b/c?d', 'connection: close'], '')],
  ['the whole server as target', () => write(['OPTIONS * HTTP/1.1', 'host: h', 'connection: close'], '')],
  [
    'a target of another host',
    () => write(['POST http://other/ HTTP/1.1', 'host: h', 'connection: close', length], body),
  ],
  ['a target that is no address', () => write(['GET http://[ HTTP/1.1', 'host: h', 'connection: close'], '')],
  ['a path with NUL', () => write(['GET /v1/clusters/%00 HTTP/1.1', 'host: h', 'connection: close'], '')],
  [
    'a path with half a percent sign',
    () => write(['GET /v1/clusters/%E0%A4%A/tasks HTTP/1.1', 'host: h', 'connection: close'], ''),
  ],
  ['a path of slashes', () => write(['GET //////v1//clusters HTTP/1.1', 'host: h', 'connection: close'], '')],
  ['a path that is too long', () => write([`GET /${'a'.repeat(20_000)} HTTP/1.1`, 'host: h', 'connection: close'], '')],
  ['a header with NUL', () => write(['GET /v1/clusters HTTP/1.1', 'host: h', 'connection: close', 'x-a: \u0000'], '')],
  ['a header that is folded', () => write([...signedLines(body), 'x-a: b\r\n c', length], body)],
  ['a space before the colon', () => write([...signedLines(body), `content-length : ${body.length}`], body)],
  ['two lengths', () => write([...signedLines(body), length, 'content-length: 3'], body)],
  ['a negative length', () => write([...signedLines(body), 'content-length: -5'], body)],
  ['a length that is no number', () => write([...signedLines(body), 'content-length: 0x10'], body)],
  ['a length and chunks', () => write([...signedLines(body), length, 'transfer-encoding: chunked'], chunked(body))],
  ['chunks by another name', () => write([...signedLines(body), 'transfer-encoding: xchunked'], chunked(body))],
  [
    'chunks of no length',
    () => write([...signedLines(body), 'transfer-encoding: chunked'], `zz\r\n${body}\r\n0\r\n\r\n`),
  ],
  ['a body that ends early', () => write([...signedLines(body), `content-length: ${body.length + 9}`], body)],
  ['a body that is not the signed one', () => write([...signedLines(body), `content-length: ${other.length}`], other)],
  ['two targets', () => write([...signedLines(body), 'x-amz-target: x', length], body)],
  [
    'an empty body, another request behind it',
    () => write([...signedLines(body), 'content-length: 0'], 'GET / x\r\n\r\n'),
  ],
  [
    'a request within the body of one that is refused',
    () =>
      write(
        ['POST /v1/nothing HTTP/1.1', 'host: h', 'connection: close', `content-length: ${inner().length}`],
        inner(),
      ),
  ],
])('%s is a fault of the client', async (_, bytes) => {
  const statuses = statusesOf(await exchange(bytes()));
  for (const status of statuses) expect(status).toBeGreaterThanOrEqual(400);
  for (const status of statuses) expect(status).toBeLessThan(500);
});

/** Lines that are put somewhere among those of a signed request, which says something else than they do. */
const trick = fc.oneof(
  fc.constantFrom(
    'authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0',
    'x-amz-date: 20200101T000000Z',
    'x-amz-target: AmazonEC2ContainerServiceV20141113.DeleteCluster',
    'x-amz-content-sha256: UNSIGNED-PAYLOAD',
    'x-amz-security-token: x',
    'host: evil',
    'transfer-encoding: identity',
    'transfer-encoding: chunked, chunked',
    'upgrade: h2c',
    'connection: close, x-amz-target',
    'expect: 200-ok',
    'content-length: 1',
    'content-encoding: br',
    ': no name',
    'no colon',
    '',
  ),
  fc
    .tuple(fc.string({ unit: 'binary-ascii', maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 30 }))
    .map(([name, value]) => `${name}: ${value}`),
);

it('whatever is put among the headers of a signed request: it does nothing, or what was signed', async () => {
  const wrong = fc.asyncProperty(fc.array(trick, { minLength: 1, maxLength: 3 }), fc.nat(), async (lines, at) => {
    // Harmless, so that it may be done.
    const asked = signedLines('{}', 'ListClusters');
    const where = 1 + (at % asked.length);
    const text = write([...asked.slice(0, where), ...lines, ...asked.slice(where), 'content-length: 2'], '{}');
    const statuses = statusesOf(await exchange(Buffer.from(text)));
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
  });
  await fc.assert(wrong, { numRuns: 400, seed: Number(process.env.GANTRY_FUZZ_SEED ?? 20_261_130) });
  expect((await api.wire('ListClusters', {})).status).toBe(200);
});
