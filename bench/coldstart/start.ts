/** One cold start of a bundled function: a process of its own, timed from within. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const script = `
const [before, used] = [performance.now(), process.cpuUsage()];
const outcome = await import(process.argv[1]).then(({ handler }) => typeof handler, () => 'ended');
const { user, system } = process.cpuUsage(used);
console.log(performance.now() - before, (user + system) / 1000, outcome);
process.exit();
`;

/** Milliseconds until the import was over. */
export interface Start {
  readonly elapsed: number;
  /** Of all threads of the process: what else the machine does makes it no longer. */
  readonly processor: number;
}

/**
 * Without the environment that a function needs it ends once all of its code has been read and
 * evaluated, because it parses that first of all (`ended`); with it, once its handler is there (`function`).
 */
export async function coldStart(
  entry: string,
  environment: Readonly<Record<string, string>>,
  expected: 'ended' | 'function',
): Promise<Start> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, entry], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const [elapsed, processor, outcome] = output.trim().split(' ');
  if (outcome === expected) return { elapsed: Number(elapsed), processor: Number(processor) };
  throw new Error(`the import of ${entry} has the outcome ${outcome ?? 'none'}, not ${expected}`);
}
