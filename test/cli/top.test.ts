/** `gantry top`: snapshots as texts, and a terminal that is redrawn, fitted and given back. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitted } from '../../cli/top/fit.ts';
import type { HostContainerStats } from '../../core/model/container-stats.ts';
import { fakeStats } from '../support/fake-stats.ts';
import { StatsSocket } from '../support/stats-socket.ts';
import { type Desk, openDesk, startCommand } from './support/desk.ts';
import { runOne, setScene } from './support/scene.ts';
import { transcript } from './support/transcript.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await setScene(desk);
  await desk.world.call('UpdateContainerInstancesState', { containerInstances: ['host-1'], status: 'DRAINING' });
});
afterAll(() => desk[Symbol.asyncDispose]());

describe('a snapshot', () => {
  it.each([
    ['terminal', ['top', '--once'], { columns: 100 }],
    ['plain', ['top'], {}],
    ['json', ['top', '--once', '--json'], {}],
  ])('is printed once: %s', async (style, argv, options) => {
    const ended = await desk.gantry(argv, options);
    await expect(transcript(argv.join(' '), ended)).toMatchFileSnapshot(`./golden/top - ${style}.txt`);
  });

  it('of a cluster that is not there is refused, and takes no terminal', async () => {
    const { code, stdout } = await desk.gantry(['top', '--cluster', 'none'], { columns: 80 });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });
});

describe('what containers use', () => {
  /** Two readings that are ten seconds apart: what grew meanwhile is a rate. */
  const used = (taskId: string, container: string, reading: number, busy: number): HostContainerStats => {
    const { cpu, ...rest } = fakeStats(reading * 10_000, 0, container === 'log' ? undefined : 64);
    const traffic = { rxErrors: 0, rxDropped: 0, txErrors: 0, txDropped: 0, rxPackets: 0, txPackets: 0 };
    return {
      taskId,
      container,
      stats: {
        ...rest,
        cpu: { ...cpu, usageNanos: reading * busy * 1e9 },
        network: { eth0: { ...traffic, rxBytes: reading * 20_480 * busy, txBytes: reading * 10_240 } },
      },
    };
  };
  let socket: StatsSocket;
  let other: Desk;
  let pair: string;
  beforeAll(async () => {
    other = await openDesk();
    const host = await other.world.host({ name: 'host-1', attributes: { place: 'first' } });
    await other.world.host({ name: 'host-2' });
    await other.world.register('web', { cpu: 256, memory: 256 });
    await other.world.register('job', { cpu: 256, memory: 256 });
    const on = { placementConstraints: [{ type: 'memberOf', expression: 'attribute:place == first' }] };
    pair = await runOne(other, 'web', on);
    const single = await runOne(other, 'job', on);
    await host.obey();
    let reading = 0;
    socket = new StatsSocket(() => {
      reading += 1;
      return [used(pair, 'app', reading, 2), used(pair, 'log', reading, 1), used(single, 'app', reading, 15)];
    });
    other.world.control.hub.attachChannel(host.hostId, socket);
  });
  afterAll(() => other[Symbol.asyncDispose]());

  const columnsOf = (stdout: string): string[][] =>
    stdout
      .slice(stdout.indexOf('In use'))
      .split('\n')
      .slice(1, 6)
      .map((line) => line.trim().split(/ {2,}/).slice(1));

  it('is shown as rates between two readings, by task and by container, the busiest first', async () => {
    const { stdout } = await other.gantry(['top', '--once']);
    expect(columnsOf(stdout)).toEqual([
      ['CONTAINER', 'DEFINITION', 'HOST', 'CPU', 'MEMORY', 'NET IN/OUT', 'DISK IN/OUT', 'PIDS'],
      ['app', 'job:1', 'host-1', '150.0 %', '6 MiB of 64 MiB', '30 KiB / 1 KiB a second', '0 B / 0 B a second', '1'],
      ['(all)', 'web:1', 'host-1', '30.0 %', '12 MiB', '6 KiB / 2 KiB a second', '0 B / 0 B a second', '2'],
      ['app', 'web:1', 'host-1', '20.0 %', '6 MiB of 64 MiB', '4 KiB / 1 KiB a second', '0 B / 0 B a second', '1'],
      ['log', 'web:1', 'host-1', '10.0 %', '6 MiB', '2 KiB / 1 KiB a second', '0 B / 0 B a second', '1'],
    ]);
    expect(stdout).toContain('1 host: The host is not connected');
  });

  it('is sorted on wish, and of one host or task alone', async () => {
    const shown = async (...options: string[]): Promise<string[]> =>
      JSON.parse((await other.gantry(['top', '--once', '--json', ...options])).stdout).use.containers.map(
        ({ taskDefinitionArn, container }: { taskDefinitionArn: string; container?: string }) =>
          `${taskDefinitionArn.split('/')[1]} ${container}`,
      );
    expect(await shown('--sort', 'memory')).toEqual(['web:1 undefined', 'web:1 app', 'web:1 log', 'job:1 app']);
    expect(await shown('--task', pair)).toEqual(['web:1 undefined', 'web:1 app', 'web:1 log']);
    expect(await shown('--host', 'host-2')).toEqual([]);
    expect(await other.gantry(['top', '--once', '--sort', 'size'])).toMatchObject({ code: 1 });
  });

  it('is asked of hosts only while somebody looks', async () => {
    const before = socket.asked;
    await other.gantry(['ps']);
    await other.gantry(['top', '--once', '--host', 'host-2']);
    expect(socket.asked).toBe(before);
  });
});

/** Before a control plane that keeps no events. */
async function withoutEvents({ connection }: Desk) {
  const { port } = new URL(connection.endpoint);
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.startsWith('/v1/events') === true) {
      const problem = { code: 'UnsupportedFeatureException', detail: 'No events are kept here.' };
      return outgoing.writeHead(501).end(JSON.stringify(problem));
    }
    const { method, url: path, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    return incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    connection: { ...connection, endpoint: `http://127.0.0.1:${address.port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

it('of a control plane that keeps no events has all but those', async () => {
  await using server = await withoutEvents(desk);
  const { code, stdout } = await startCommand(['top'], {}, server.connection, desk.world.now).ended;
  expect(code).toBe(0);
  expect(stdout).toContain('2 hosts (1 draining); 1 RUNNING');
  expect(stdout).not.toContain('Lately');
});

const begins = '\u001b[?1049h\u001b[?25l';
const ends = '\u001b[?25h\u001b[?1049l';
const framesOf = (stdout: string): string[][] =>
  stdout
    .slice(begins.length, -ends.length)
    .split('\u001b[H')
    .slice(1)
    .map((frame) => stripVTControlCharacters(frame).split('\r\n'));

describe('a terminal', () => {
  it.each([
    [80, 24],
    [60, 12],
    [40, 6],
    [200, 60],
  ])('of %i columns and %i rows is filled and not left', async (columns, rows) => {
    const stop = new AbortController();
    const watching = desk.start(['top'], { columns, rows, signal: stop.signal });
    await watching.said('\u001b[J');
    stop.abort();
    const { code, stdout, stderr } = await watching.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    expect(stdout.startsWith(begins) && stdout.endsWith(ends)).toBe(true);
    const [frame = [], ...more] = framesOf(stdout);
    expect(more).toEqual([]);
    expect(frame.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...frame.map((line) => line.length))).toBeLessThanOrEqual(columns);
    const story = `${frame.map((line) => line.trimEnd()).join('\n')}\n`;
    await expect(story).toMatchFileSnapshot(`./golden/top on ${columns} x ${rows}.txt`);
  });

  it('is redrawn in place, and says what went wrong while the last frame stays', async () => {
    const other = await openDesk();
    await other.world.host({ name: 'host-1' });
    const stop = new AbortController();
    const watching = other.start(['top', '--interval', '1'], { columns: 100, rows: 20, signal: stop.signal });
    await watching.said('1 host;');
    await other.world.host({ name: 'host-2' });
    await watching.said('2 hosts;');
    await other[Symbol.asyncDispose]();
    await watching.said('cannot be reached');
    stop.abort();
    const frames = framesOf((await watching.ended).stdout);
    expect(frames.length).toBeGreaterThanOrEqual(3);
    expect(frames.at(-1)?.slice(0, 2).join()).toMatch(/^default .*cannot be reached.*,2 hosts;/);
  });

  it('is not taken with --json: each refresh is an object', async () => {
    const stop = new AbortController();
    const watching = desk.start(['top', '--json', '--interval', '1'], { columns: 100, signal: stop.signal });
    await watching.said('}\n{');
    stop.abort();
    const { code, stdout } = await watching.ended;
    expect(code).toBe(130);
    const objects = stdout.trimEnd().split('\n');
    expect(objects.map((line) => JSON.parse(line).cluster)).toEqual(objects.map(() => 'default'));
  });
});

describe('sections', () => {
  const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

  it('are whole where there is room, and those without lines are left out', () => {
    expect(
      fitted(
        [
          { title: 'A', heading: 'H', lines: lines(2) },
          { title: 'B', lines: [] },
        ],
        5,
      ),
    ).toEqual(['', 'A', 'H', 'line 1', 'line 2']);
  });

  it('share what there is, and each says how much is missing', () => {
    const sections = [
      { title: 'A', lines: lines(9) },
      { title: 'B', lines: lines(2) },
      { title: 'C', lines: lines(9) },
    ];
    expect(fitted(sections, 13).join('\n')).toBe(
      '\nA\nline 1\nline 2\n  … and 7 more\n\nB\nline 1\nline 2\n\nC\nline 1\n  … and 8 more',
    );
    for (let rows = 0; rows < 30; rows += 1) expect(fitted(sections, rows).length).toBeLessThanOrEqual(rows);
  });

  it('that do not fit at all give way from the end', () => {
    expect(
      fitted(
        [
          { title: 'A', lines: lines(1) },
          { title: 'B', lines: lines(1) },
        ],
        5,
      ),
    ).toEqual(['', 'A', 'line 1']);
  });
});
