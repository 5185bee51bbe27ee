/**
 * The end of the control plane's process by SIGTERM, in the midst of things: what it accepted it finishes and answers, what waits is told,
 * and what it did not take is not there after the next start. A real process with a store of its own and one host.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, createClient } from '../../client/client.ts';
import { GantryError } from '../../core/errors.ts';
import { hostPaths } from '../../core/host-protocol.ts';
import { nodeCommand } from '../../local/node-command.ts';
import { cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { serverUrl } from '../../local/server.ts';
import { ScriptedHost } from '../control/support/scripted-host.ts';
import { freePort } from '../support/cloud.ts';

const base = mkdtempSync(join(tmpdir(), 'gantry-shutdown-'));
let client: Client;
let server: ChildProcess;
let start: () => Promise<ChildProcess>;
let endpoint: string;
let joinToken: () => string;

beforeAll(async () => {
  const options = cloudOptionsSchema.parse({
    dataDir: join(base, 'data'),
    runDir: join(base, 'run'),
    port: await freePort(),
    auth: 'none',
  });
  const paths = cloudPaths(options);
  endpoint = serverUrl(options);
  client = createClient({ endpoint, region: options.region });
  joinToken = () => readFileSync(paths.joinToken, 'utf8');
  mkdirSync(paths.runDir, { recursive: true });
  writeFileSync(paths.serverConfig, JSON.stringify(options));
  const entry = fileURLToPath(new URL('../../local/server-main.ts', import.meta.url));
  const { command, args } = nodeCommand(entry, [paths.serverConfig]);
  start = async () => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout }))
      if (line.includes('the control plane is up')) {
        child.stdout.resume();
        return child;
      }
    throw new Error('the control plane has ended while starting');
  };
  server = await start();
  const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 6 }];
  await client.call('RegisterTaskDefinition', { family: 'job', containerDefinitions });
});
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

/** More than one transaction holds. */
const count = 30;

/** Runs tasks, one call after the other, until the control plane takes none. */
async function runOnAndOn(worker: number, onAnswer: (startedBy: string) => void): Promise<string> {
  for (let call = 0; ; call += 1) {
    const startedBy = `${worker}-${call}`;
    try {
      const { tasks } = await client.call('RunTask', { taskDefinition: 'job', count, startedBy });
      expect(tasks).toHaveLength(count);
      onAnswer(startedBy);
    } catch (error) {
      expect(error).toBeInstanceOf(GantryError);
      expect(error).toMatchObject({ code: 'ServiceUnavailableException' });
      return startedBy;
    }
  }
}

async function startedTasks(startedBy: string): Promise<number> {
  return (await client.call('ListTasks', { startedBy })).taskArns.length;
}

/** All that comes of a stream, and by which error it ends. */
async function toItsEnd(lines: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const _ of lines);
    return 'ended in good order';
  } catch (error) {
    return error;
  }
}

async function hostWithSocket(): Promise<WebSocket> {
  const way = { request: (path: string, init: RequestInit) => fetch(new URL(path, endpoint), init) };
  const host = new ScriptedHost({ hostsApp: way, deps: { clock: { now: () => Date.now() } } }, { memoryMib: 1 << 20 });
  await host.join(joinToken());
  const path = hostPaths.wake(host.hostId);
  const socket = new WebSocket(new URL(path, endpoint.replace('http', 'ws')), {
    headers: host.signed('GET', path, ''),
  });
  await once(socket, 'message');
  return socket;
}

it('finishes and answers what it accepted, tells who waits, and takes nothing else', async () => {
  const socket = await hostWithSocket();
  const { tasks } = await client.call('RunTask', { taskDefinition: 'job' });
  const named = { cluster: 'default', task: tasks[0]?.taskArn.split('/').at(-1) ?? '' };
  const polled = client.call('GetTask', { ...named, wait: 'stopped', timeout: 25 });
  const watched = client.watchTask(named);
  expect(await watched.next()).toMatchObject({ value: { kind: 'task' } });
  const events = await fetch(new URL('/v1/events/stream', endpoint));
  const told = events.text();

  const answered: string[] = [];
  const enough = Promise.withResolvers<void>();
  const onAnswer = (startedBy: string) => {
    if (answered.push(startedBy) === 24) enough.resolve();
  };
  const workers = Array.from({ length: 8 }, (_, worker) => runOnAndOn(worker, onAnswer));
  await enough.promise;
  const [exit, closed] = [once(server, 'exit'), once(socket, 'close')];
  server.kill('SIGTERM');

  expect(await polled).toMatchObject({ reached: 'not-yet', task: { desiredStatus: 'RUNNING' } });
  const ending = { code: 'ServiceUnavailableException', message: 'The control plane is ending.' };
  expect(await toItsEnd(watched)).toMatchObject(ending);
  expect(await told).toMatch(/^event: problem\ndata: {"code":"ServiceUnavailableException".*\n\n$/m);
  expect(String((await closed)[1])).toBe('the control plane is ending');
  const refused = await Promise.all(workers);
  expect(await exit).toEqual([0, null]);

  server = await start();
  for (const startedBy of answered) expect([startedBy, await startedTasks(startedBy)]).toEqual([startedBy, count]);
  for (const startedBy of refused) expect([startedBy, await startedTasks(startedBy)]).toEqual([startedBy, 0]);
});
