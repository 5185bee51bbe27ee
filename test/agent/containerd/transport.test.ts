/** The transport against a server that does what containerd does seldom. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { expect, it } from 'vitest';
import { connect } from '../../../agent/containerd/client.ts';
import { encodeFrame } from '../../../agent/containerd/frames.ts';
import { WriteAction } from '../../../agent/containerd/gen/content_pb.ts';
import { EnvelopeSchema } from '../../../agent/containerd/gen/events_pb.ts';
import { VersionResponseSchema } from '../../../agent/containerd/gen/version_pb.ts';
import {
  GrpcError,
  isAlreadyExists,
  isGrpcError,
  isNotFound,
  isUnavailable,
} from '../../../agent/containerd/grpc-error.ts';
import { respond, startGrpcServer } from './grpc-server.ts';

const [version] = encodeFrame(VersionResponseSchema, { version: '1.6.20' });
const [envelope] = encodeFrame(EnvelopeSchema, { topic: '/tasks/exit' });
const emptyMessage = new Uint8Array(5);
const ok = { 'grpc-status': '0' };

async function errorOf(call: Promise<unknown>): Promise<GrpcError> {
  const error = await call.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof GrpcError) return error;
  throw error;
}

it('answers a call, and sends the path and what scopes it', async () => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  const seen: Record<string, unknown>[] = [];
  server.answer = (stream, headers) => {
    seen.push(headers);
    respond(stream, [seen.length === 1 ? version : emptyMessage], ok);
  };
  expect((await client.version.version({})).version).toBe('1.6.20');
  await client.withNamespace('host-1').withLease('lease-1').leases.list({}, { timeoutMs: 1500 });
  expect(seen).toMatchObject([
    { ':path': '/containerd.services.version.v1.Version/Version', 'content-type': 'application/grpc', te: 'trailers' },
    { 'containerd-namespace': 'host-1', 'containerd-lease': 'lease-1', 'grpc-timeout': '1500m' },
  ]);
  expect(Object.keys(seen[0] ?? {})).not.toContain('containerd-namespace');
});

it.each(['trailers', 'headers'])('takes the status from the %s, with its message decoded', async (place) => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  const status = { 'grpc-status': '5', 'grpc-message': 'no container %22%C3%A4%22 at 100%' };
  server.answer = (stream) => {
    if (place === 'trailers') respond(stream, [], status);
    else stream.respond({ ':status': 200, ...status }, { endStream: true });
  };
  const error = await errorOf(client.version.version({}));
  // "100%" is not well-formed, and then nothing is decoded rather than anything lost.
  expect(error).toMatchObject({ code: 5, method: 'Version.Version', details: 'no container %22%C3%A4%22 at 100%' });
  expect(isNotFound(error)).toBe(true);
  expect(isAlreadyExists(error)).toBe(false);
  status['grpc-message'] = 'container %22%C3%A4%22: not found';
  expect((await errorOf(client.version.version({}))).message).toBe(
    'Version.Version: NOT_FOUND: container "ä": not found',
  );
});

it.each([
  ['an HTTP error', 503, 'HTTP status 503'],
  ['an answer without a message', 200, 'the answer holds no message'],
])('fails on %s', async (_, status, why) => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  server.answer = (stream) => {
    if (status === 200) respond(stream, [], ok);
    else stream.respond({ ':status': status }, { endStream: true });
  };
  expect((await errorOf(client.version.version({}))).message).toContain(why);
});

it('fails on an answer that it cannot decode', async () => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  server.answer = (stream) => respond(stream, [Uint8Array.of(1, 0, 0, 0, 0)], ok);
  expect(isGrpcError(await errorOf(client.version.version({})), 'INTERNAL')).toBe(true);
  expect(isGrpcError(await errorOf(client.events.subscribe({}).next()), 'INTERNAL')).toBe(true);
});

it('ends a call at its deadline and when its caller gives up, and tells the server', async () => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  const resets: number[] = [];
  const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ended = Promise.withResolvers<void>();
  server.answer = (stream) => {
    arrived[resets.length]?.resolve();
    stream.once('close', () => {
      resets.push(stream.rstCode);
      if (resets.length === 2) ended.resolve();
    });
  };
  expect(isGrpcError(await errorOf(client.version.version({}, { timeoutMs: 20 })), 'DEADLINE_EXCEEDED')).toBe(true);
  const caller = new AbortController();
  const call = errorOf(client.version.version({}, { signal: caller.signal }));
  await arrived[1]?.promise;
  caller.abort();
  expect(isGrpcError(await call, 'CANCELLED')).toBe(true);
  expect(isGrpcError(await errorOf(client.version.version({}, { signal: caller.signal })), 'CANCELLED')).toBe(true);
  await ended.promise;
  expect(resets).toEqual([constants.NGHTTP2_CANCEL, constants.NGHTTP2_CANCEL]);
});

it('ends a stream for whoever stops reading it', async () => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  const closed = Promise.withResolvers<number>();
  server.answer = (stream) => {
    stream.once('close', () => closed.resolve(stream.rstCode));
    stream.respond({ ':status': 200 });
    stream.write(envelope);
  };
  for await (const { topic } of client.events.subscribe({})) {
    expect(topic).toBe('/tasks/exit');
    break;
  }
  expect(await closed.promise).toBe(constants.NGHTTP2_CANCEL);
});

it('fails while the server is away, and works again when it is back', async () => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  const arrived = Promise.withResolvers<void>();
  server.answer = (stream) => {
    stream.respond({ ':status': 200 });
    stream.write(envelope);
    arrived.resolve();
  };
  const events = client.events.subscribe({});
  expect((await events.next()).value).toMatchObject({ topic: '/tasks/exit' });
  const broken = errorOf(events.next());
  await arrived.promise;
  await server.stop();
  expect(isUnavailable(await broken)).toBe(true);
  const away = await errorOf(client.version.version({}));
  expect(isUnavailable(away)).toBe(true);
  await server.resume();
  server.answer = (stream) => respond(stream, [version], ok);
  expect((await client.version.version({})).version).toBe('1.6.20');
});

it('holds an upload back that the server does not read', async () => {
  await using server = await startGrpcServer();
  using client = connect(server.socket);
  const opened = Promise.withResolvers<import('node:http2').ServerHttp2Stream>();
  server.answer = (stream) => {
    stream.pause();
    opened.resolve(stream);
  };
  const call = client.withNamespace('x').content.write();
  const pieces = [new Uint8Array(1024 * 1024)];
  let sent = 0;
  const upload = (async () => {
    for (; sent < 20; sent++) await call.send({ action: WriteAction.WRITE, ref: 'r' }, { fieldNumber: 6, pieces });
  })();
  const stream = await opened.promise;
  await once(stream, 'readable');
  // Everything that can move without the server reading has moved once another call has been answered.
  server.answer = (other) => respond(other, [version], ok);
  for (let call = 0; call < 10; call++) await client.version.version({});
  expect(sent).toBeGreaterThan(2);
  expect(sent).toBeLessThan(10);
  stream.resume();
  await upload;
  expect(sent).toBe(20);
  call.cancel();
});

it('lets the process end when nothing is under way', async () => {
  await using server = await startGrpcServer();
  server.answer = (stream) => respond(stream, [version], ok);
  const client = new URL('../../../agent/containerd/client.ts', import.meta.url).pathname;
  const program = `
    import { connect } from ${JSON.stringify(client)};
    const { version } = await connect(${JSON.stringify(server.socket)}).version.version({});
    process.stdout.write(version);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = (async () => {
    let text = '';
    for await (const piece of child.stdout) text += String(piece);
    return text;
  })();
  const [exitCode] = await once(child, 'exit');
  expect([exitCode, await output]).toEqual([0, '1.6.20']);
});
