/** `npm run quickstart` as a newcomer runs it: a real container from nothing to nothing, and with --keep a cloud that stays. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort, launcher, run } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';

const script = fileURLToPath(new URL('../../scripts/quickstart.mjs', import.meta.url));

/** Each found after the one before. */
const story = [
  'Bringing a cloud up on this machine',
  'containerd started',
  'control plane started at http://127.0.0.1:',
  'host-1 started',
  'Registered hello:1: 0.25 vCPU and 64 MiB at most',
  'hello:1 requested; it needs 0.25 vCPU and 64 MiB',
  'placed on host-1: the only host that fits',
  'images ready after',
  'running, ',
  'hello | Hello from task',
  'hello | memory limit: 67108864 ',
  'hello | cpu quota: 25000',
  'hello | Goodbye',
  "container 'hello' exited with code 0",
  'stopped (EssentialContainerExited)',
];
const ending = [
  'Taking the cloud down',
  'How long it took',
  'cloud up',
  'image pulled',
  'ran',
  'in all',
  'Nothing is left behind.',
];

describeWithContainers('quickstart', () => {
  let base: string;
  let place: { readonly name: string; readonly dataDir: string; readonly runDir: string };
  let args: string[];

  beforeEach(async () => {
    base = mkdtempSync('/var/tmp/gantry-test-');
    place = { name: `gq${process.pid % 1000}`, dataDir: join(base, 'data'), runDir: join(base, 'run') };
    const network = `10.${230 + (process.pid % 20)}`;
    args = ['--name', place.name, '--data', place.dataDir, '--run-dir', place.runDir, '--network', network];
    args.push('--port', `${await freePort()}`);
  });

  afterEach(async () => {
    await gantry('down', '--purge');
    rmSync(base, { recursive: true, force: true });
  });

  const environment = (): NodeJS.ProcessEnv => ({ ...process.env, GANTRY_RUN_DIR: place.runDir });
  const gantry = (...argv: readonly string[]) => run(process.execPath, [launcher, ...argv], environment());
  const quickstart = (...more: readonly string[]) => run(process.execPath, [script, ...args, ...more], environment());

  function expectNothingLeft(): void {
    expect(leftoversOf(place)).toEqual([]);
    expect(readdirSync(base)).toEqual([]);
    expect(processesWith(base)).toEqual([]);
  }

  it('runs a container, tells its story in order, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await quickstart();
    expect({ code, stderr }, stdout).toMatchObject({ code: 0 });
    expectInOrder(stdout, [...story, ...ending]);
    expectNothingLeft();
  });

  it('with --keep leaves a cloud that works and can be taken down, and that a second one leaves as it was', async () => {
    const kept = await quickstart('--keep');
    expect(kept.code, kept.stdout + kept.stderr).toBe(0);
    expectInOrder(kept.stdout, [...story, 'How long it took', 'The cloud is up at ', 'export AWS_ENDPOINT_URL_ECS=']);

    const again = await gantry('run', 'hello', '--follow', '--', 'sh', '-c', 'echo again; exit 3');
    expect(again, again.stderr).toMatchObject({ code: 3, stdout: 'again\n' });

    const second = await quickstart();
    expect(second.code, second.stdout + second.stderr).toBe(0);
    expectInOrder(second.stdout, [
      'it is used, and left as it is',
      'Registered hello:2',
      'hello | Goodbye',
      'is as it was',
    ]);
    const third = await gantry('run', 'hello', '--wait', '--', 'true');
    expect(third.code, third.stderr).toBe(0);

    const down = await gantry('down', '--purge');
    expect(down.code, down.stderr).toBe(0);
    expectNothingLeft();
  });

  it('leaves nothing behind where it cannot begin', async () => {
    const { code, stderr } = await run(
      process.execPath,
      [launcher, 'quickstart', ...args, '--listen', '192.0.2.99'],
      environment(),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: .+\n/);
    expectNothingLeft();
  });
});

function expectInOrder(text: string, parts: readonly string[]): void {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    expect(at, `"${part}" is not there, or too early:\n${text}`).toBeGreaterThanOrEqual(from);
    from = at + part.length;
  }
}

/** Command lines of this machine that name something below a directory. */
function processesWith(directory: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => commandLineOf(pid))
    .filter((line) => line.includes(directory));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // It has ended since the list was read.
  }
}
