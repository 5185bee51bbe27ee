/** The command as a process: exit codes, signals, standard input, and readers that go away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Desk, openDesk } from './support/desk.ts';
import { runOne } from './support/scene.ts';

const launcher = fileURLToPath(new URL('../../bin/gantry.mjs', import.meta.url));

function environment({ connection }: Desk): NodeJS.ProcessEnv {
  const { endpoint, credentials } = connection;
  return {
    PATH: process.env.PATH,
    GANTRY_ENDPOINT: endpoint,
    GANTRY_RUN_DIR: '/nowhere',
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
  };
}

interface Started {
  readonly child: ChildProcess;
  /** Both streams as they came. */
  readonly output: () => string;
  said(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

function start(desk: Desk, command: string, args: readonly string[], input = ''): Started {
  const child = spawn(command, [...args], { env: environment(desk), stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  child.stdin.end(input);
  const ended = once(child, 'close').then(([code]) => code);
  return {
    child,
    ended,
    output: () => output,
    async said(text) {
      while (!output.includes(text))
        await Promise.race([
          once(child.stdout, 'data'),
          once(child.stderr, 'data'),
          ended.then(() => Promise.reject(new Error(`it ended without saying "${text}":\n${output}`))),
        ]);
    },
  };
}

const gantry = (desk: Desk, args: readonly string[], input?: string): Started =>
  start(desk, process.execPath, [launcher, ...args], input);

describe('gantry as a process', () => {
  it("ends with the container's exit code", async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const running = gantry(desk, ['run', 'job', '--wait']);
    await running.said('placed on host-1');
    await host.obey();
    for (const id of host.tasks.keys()) host.end(id, 42);
    await host.report();
    expect(await running.ended).toBe(42);
  });

  it('reads a task definition from standard input', async () => {
    await using desk = await openDesk();
    const container = { name: 'a', image: 'busybox', memory: 64 };
    const registering = gantry(
      desk,
      ['register', '-'],
      JSON.stringify({ family: 'piped', containerDefinitions: [container] }),
    );
    expect(await registering.ended).toBe(0);
    expect(registering.output()).toBe('Registered piped:1. Run it: gantry run piped:1\n');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends in good order on %s, also when npm sends it twice', async (signal) => {
    await using desk = await openDesk();
    await desk.world.host();
    await desk.world.register('job');
    const running = gantry(desk, ['run', 'job', '--wait']);
    await running.said('placed on host-1');
    running.child.kill(signal);
    running.child.kill(signal);
    expect(await running.ended).toBe(130);
    expect(running.output()).toContain('Interrupted: 1 task may go on');
  });

  it('is content with a reader that has seen enough', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    await host.obey();
    desk.logs.write(id, ...Array.from({ length: 50_000 }, (_, index) => ({ text: `line ${index}` })));
    const script = '"$0" "$1" logs "$2" | head -n 1; echo "code $PIPESTATUS"';
    const piped = start(desk, 'bash', ['--norc', '-c', script, process.execPath, launcher, id]);
    expect(await piped.ended).toBe(0);
    expect(piped.output()).toBe('line 0\ncode 0\n');
  });
});
