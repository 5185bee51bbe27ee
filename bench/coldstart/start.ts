/** One cold start of a bundled function: a process of its own, timed from within. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const script = `
const before = performance.now();
const outcome = await import(process.argv[1]).then(({ handler }) => typeof handler, () => 'ended');
console.log(performance.now() - before, outcome);
process.exit();
`;

/**
 * Milliseconds until the import is over. Without the environment that a function needs it ends once all of its code has been read and
 * evaluated, because it parses that first of all (`ended`); with it, once its handler is there (`function`).
 */
export async function coldStart(
  entry: string,
  environment: Readonly<Record<string, string>>,
  expected: 'ended' | 'function',
): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, entry], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const [milliseconds, outcome] = output.trim().split(' ');
  if (outcome === expected) return Number(milliseconds);
  throw new Error(`the import of ${entry} has the outcome ${outcome ?? 'none'}, not ${expected}`);
}
