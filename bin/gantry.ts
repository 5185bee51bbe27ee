/** The `gantry` command under Node 24: gathers what the command line takes from outside, and hands it the one-machine cloud. */
import { readFile } from 'node:fs/promises';
import { constants, homedir } from 'node:os';
import { contextFile, contextPath } from '../cli/contexts/disk.ts';
import { main } from '../cli/main.ts';
import { awsCredentials } from '../client/aws-credentials.ts';
import { localCloud } from '../local/cloud.ts';
import { readContext } from '../local/context.ts';
import { hostHere } from '../local/join/here.ts';
import { cloudOptionsSchema, cloudPaths } from '../local/options.ts';
import { agentFiles } from './agent-files.ts';

const ended = new AbortController();
let askedAt: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => endAsAsked(signal));
// A reader that has seen enough (`gantry ps | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// Nobody listens to what happens meanwhile; the result may still be wanted.
process.stderr.on('error', () => {});

process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: () => Date.now(),
  readFile: (path) => (path === '-' ? readStandardInput() : readFile(path, 'utf8')),
  local: { ...localCloud, ...hostHere(agentFiles) },
  localConnection: (runDir) =>
    readContext(cloudPaths(cloudOptionsSchema.parse({ ...(runDir !== undefined && { runDir }) }))),
  contexts: contextFile(contextPath(process.env, homedir())),
  awsCredentials: awsCredentials(),
  signal: ended.signal,
});

/** The first one asks to end in good order, a later one to end now. */
function endAsAsked(signal: 'SIGINT' | 'SIGTERM'): void {
  const now = performance.now();
  askedAt ??= now;
  ended.abort();
  // npm passes on the Ctrl-C that the terminal has sent to us already: that is still the first.
  if (now - askedAt > 500) process.exit(128 + constants.signals[signal]);
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
