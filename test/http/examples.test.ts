/**
 * The examples of the documentation, made one after the other as it shows them. What is answered is what it shows: `run FILE -u` records
 * it anew, `npm run generate` takes it into the OpenAPI document.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../client/signer.ts';
import { createApi } from '../../control/http/app.ts';
import { sigV4Authenticator } from '../../control/http/auth/authenticator.ts';
import { type Answers, exampleRequest, examples } from '../../core/api/examples/index.ts';
import { operations } from '../../core/api/operations.ts';
import { everyRight } from '../../core/model/rights.ts';
import { ScriptedLogs } from '../cli/support/scripted-logs.ts';
import { startReceiver, type TestReceiver } from '../control/support/receiver.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { startWorld, type World } from '../control/support/world.ts';
import { fakeStats } from '../support/fake-stats.ts';

/** What the host says that it has. */
const nginx = {
  names: ['docker.io/library/nginx:1.29'],
  digest: 'sha256:c15da6c91de8d2f436196f3a768483ad32c258ed4e1beb3d367a27ed67253e66',
  sizeBytes: 72_358_201,
  taskIds: [],
};

/** An hour after it was started. */
const used = (taskId: string) => ({
  taskId,
  container: 'nginx',
  stats: {
    ...fakeStats(Date.UTC(2100, 0, 1, 1), Date.UTC(2100, 0, 1), 256),
    network: {
      eth0: {
        rxBytes: 48_211_904,
        rxPackets: 39_112,
        rxErrors: 0,
        rxDropped: 0,
        txBytes: 96_004_318,
        txPackets: 41_870,
        txErrors: 0,
        txDropped: 0,
      },
    },
  },
});

let world: World;
let host: ScriptedHost;
let receiver: TestReceiver;
let server: Server;
let sign: ReturnType<typeof createSigner>;
let endpoint: string;
let logs: ScriptedLogs;

beforeAll(async () => {
  world = await startWorld({ settings: { webhookAddresses: 'private' } });
  receiver = await startReceiver();
  host = await world.host({ cpuUnits: 2048, memoryMib: 4096, attributes: { stack: 'prod' } });
  const { deps, handlers, accessKeys } = world.control;
  logs = new ScriptedLogs();
  const authenticator = sigV4Authenticator(accessKeys, { region: 'us-east-1', now: () => Date.now() });
  const hostStats = { stats: async () => [...host.tasks.keys()].slice(0, 1).map(used) };
  const spoken = { ...deps, logs, hostImages: { images: async () => [nginx] }, hostStats };
  const listener = getRequestListener(createApi({ deps: spoken, handlers, authenticator }).fetch);
  server = createServer((request, response) => void listener(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const credentials = await accessKeys.create({ arn: 'arn:aws:iam::000000000000:user/admin', ...everyRight });
  sign = createSigner(endpoint, { region: 'us-east-1', credentials });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** As they came, with ids of this run; and as the documentation shows them. */
const real: Record<string, { status: number; body: unknown }> = {};
const shown: Record<string, { status: number; body: unknown }> = {};

const documentedUrl = 'https://example.com/gantry';
const toReal = (text: string): string => text.replaceAll(documentedUrl, receiver.url);

async function make(example: (typeof examples)[number]): Promise<void> {
  const { method, path, body } = exampleRequest(example, real);
  const sent = body === undefined ? undefined : toReal(JSON.stringify(body));
  const url = new URL(path, endpoint);
  const headers = await sign({ method, url, body: sent });
  const response = await fetch(url, { method, headers, ...(sent !== undefined && { body: sent }) });
  const isStream = example.operation === 'StreamEvents';
  const text = isStream ? await firstMessage(response) : await response.text();
  real[example.name] = { status: response.status, body: parsed(response, text) };
  shown[example.name] = { status: response.status, body: stable(parsed(response, text)) };
}

/** Until the first empty line; then the reader has gone. */
async function firstMessage(response: Response): Promise<string> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('\n\n')) break;
  }
  return text.slice(0, text.indexOf('\n\n'));
}

const parsed = (response: Response, text: string): unknown =>
  /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text;

/** Another run has other ids, secrets and moments; the documentation shows the same. */
function stable(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => stable(item, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, stable(inner, member)]));
  if (name === 'durationMs') return 42;
  if (typeof value !== 'string') return value;
  if (Object.hasOwn(masks, name)) return masks[name];
  return value
    .replaceAll(receiver.url, documentedUrl)
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, (id) => dashed(sampleId(id)))
    .replaceAll(/\b[0-9a-f]{32}\b/g, sampleId)
    .replaceAll(/\bGKIA[0-9A-F]{16}\b/g, 'GKIA0123456789ABCDEF')
    .replaceAll(/\b2100-01-01T/g, '2026-05-01T')
    .replaceAll(/(?<=\b\d{15}-)[0-9a-f]{16}\b/g, '3f6f422c756e4f12')
    .replaceAll(/\b0041024448(\d{5})-/g, '0017775936$1-');
}

/** As ids of containers are written. */
const dashed = (id: string): string => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const masks: Readonly<Record<string, string>> = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=',
  secretAccessKey: 'a-secret-of-40-characters-shown-only-once',
  joinToken: 'gantry-join-2f1c…',
  nextToken: 'eyJ0aGUgcGFnZSI6ImJlZm9yZSJ9',
};

const seen: string[] = [];

/** The same for the first, the second … of each run. */
function sampleId(id: string): string {
  if (id === '0123456789abcdef0123456789abcdef') return id;
  if (!seen.includes(id)) seen.push(id);
  return createHash('sha256')
    .update(`${seen.indexOf(id)}`)
    .digest('hex')
    .slice(0, 32);
}

/** What the task of the examples has written. */
function writeLog(example: (typeof examples)[number]): void {
  const [, task = ''] = /\/tasks\/(\w+)\//.exec(exampleRequest(example, real).path) ?? [];
  const wrote = { container: 'nginx', text: '127.0.0.1 - - "GET / HTTP/1.1" 200 615' };
  logs.write(task, wrote, { ...wrote, text: 'signal 15 (SIGTERM) received, exiting', stream: 'stderr' });
}

describe('the examples', () => {
  it.each(examples.map((example) => [example.name, example] as const))('%s', async (name, example) => {
    if (name === 'logs') writeLog(example);
    await make(example);
    const { refused, operation } = example;
    const expected =
      refused?.status ?? (operation in operations ? operations[operation as 'RunTask'].rest.status : 200);
    expect(real[name], JSON.stringify(real[name])).toMatchObject({
      status: expected,
      ...(refused !== undefined && { body: { code: refused.code } }),
    });
    world.advance(1);
    if (name !== 'deregister-host') await host.obey();
    await world.control.loops.idle();
  });

  it('are answered as the documentation says', async () => {
    await expect(`${JSON.stringify(shown satisfies Answers, null, 1)}\n`).toMatchFileSnapshot(
      '../../core/api/examples/answers.json',
    );
  });

  it('are there for every operation, each by a name of its own', () => {
    const shownOperations = new Set(examples.map(({ operation }) => operation));
    expect(Object.keys(operations).filter((name) => !shownOperations.has(name as 'RunTask'))).toEqual([]);
    expect(new Set(examples.map(({ name }) => name)).size).toBe(examples.length);
  });
});
