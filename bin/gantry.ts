/** The `gantry` command under Node 24: gathers what the command line takes from outside, and hands it the one-machine cloud. */
import { readFile } from 'node:fs/promises';
import { main } from '../cli/main.ts';
import { localCloud } from '../local/cloud.ts';
import { readContext } from '../local/context.ts';
import { cloudOptionsSchema, cloudPaths } from '../local/options.ts';

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
// A reader that has seen enough (`gantry ps | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// Nobody listens to what happens meanwhile; the result may still be wanted.
process.stderr.on('error', () => {});

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: () => Date.now(),
  readFile: (path) => (path === '-' ? readStandardInput() : readFile(path, 'utf8')),
  local: localCloud,
  localConnection: (runDir) =>
    readContext(cloudPaths(cloudOptionsSchema.parse({ ...(runDir !== undefined && { runDir }) }))),
  signal: ended.signal,
});

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
