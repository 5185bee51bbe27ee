/**
 * A whole one-machine cloud of its own, as a user starts it: `gantry up` as a process, with its own name, directories, network and
 * port. Disposing takes it down with `gantry down --purge`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../client/client.ts';
import { readContext } from '../../local/context.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const launcher = join(root, 'bin', 'gantry.mjs');

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CloudHandle extends AsyncDisposable {
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** AWS_* variables and GANTRY_RUN_DIR for commands that talk to this cloud. */
  readonly env: NodeJS.ProcessEnv;
  /** Our own typed client, for what stock clients cannot see. */
  readonly client: Client;
  /** The supervisor of `gantry up`. */
  readonly supervisor: ChildProcess;
  /** `gantry ARGS`. */
  gantry(args: readonly string[], options?: { readonly input?: string }): Promise<CommandResult>;
  /** Starts `gantry up` again after it was ended or killed; with other options than at first where some are given. */
  upAgain(upArgs?: readonly string[]): Promise<void>;
}

let cloudsMade = 0;

/** Names and networks differ between the clouds of one run, between runs at the same time, and from what else is on the machine. */
export function freeSerial(): number {
  const inUse = Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  );
  const serials = Array.from({ length: 200 }, (_, step) => (process.pid * 7 + cloudsMade + step) % 200);
  const free = serials.find((serial) => !inUse.some((address) => address.startsWith(`10.${20 + serial}.`)));
  if (free === undefined) throw new Error('no network of 10.20.0.0 to 10.219.0.0 is free');
  cloudsMade += 1;
  return free;
}

/** `launchedBy` is the launcher of this clone, or of a package that is installed somewhere. */
export async function startCloud(upArgs: readonly string[] = [], launchedBy = launcher): Promise<CloudHandle> {
  const serial = freeSerial();
  const name = `gt${serial}`;
  const base = mkdtempSync('/var/tmp/gantry-test-');
  const [dataDir, runDir] = [join(base, 'data'), join(base, 'run')];
  const port = await freePort();
  const args = [
    '--name',
    name,
    '--data',
    dataDir,
    '--run-dir',
    runDir,
    '--port',
    `${port}`,
    '--network',
    `10.${20 + serial}`,
  ];
  const start = (more: readonly string[] = upArgs) => startUp([launchedBy, 'up', ...args, ...more]);
  const takeDown = async () => {
    const down = await run(process.execPath, [launchedBy, 'down', '--run-dir', runDir, '--data', dataDir, '--purge']);
    rmSync(base, { recursive: true, force: true });
    if (down.code !== 0) throw new Error(`gantry down failed (${down.code}):\n${down.stdout}${down.stderr}`);
  };
  let supervisor = await start().catch(async (error: unknown) => {
    await takeDown();
    throw error;
  });
  const context = readContext({ context: join(runDir, 'context.json') });
  if (context === undefined) throw new Error('gantry up has written no context');
  const credentials = context.credentials ?? { accessKeyId: 'none', secretAccessKey: 'none' };
  const env = {
    ...process.env,
    GANTRY_RUN_DIR: runDir,
    // Not to the control plane that whoever runs the tests is logged in to.
    GANTRY_CONTEXT: 'local',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: context.region,
    AWS_DEFAULT_REGION: context.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  return {
    name,
    dataDir,
    runDir,
    endpoint: context.endpoint,
    credentials,
    client: createClient(context),
    env,
    get supervisor() {
      return supervisor;
    },
    gantry: (commandArgs, { input } = {}) => run(process.execPath, [launchedBy, ...commandArgs], env, input),
    async upAgain(more) {
      supervisor = await start(more);
    },
    [Symbol.asyncDispose]: takeDown,
  };
}

/** Resolves once `gantry up` says that it is ready; rejects with its output when it ends before. */
async function startUp(command: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.includes('is ready')) resolve();
    });
  child.once('exit', (code) => reject(new Error(`gantry up ended with ${code}:\n${output}`)));
  await promise;
  return child;
}

/** Ends `gantry up` as Ctrl-C does and waits until it has ended. */
export async function endUp(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  supervisor.kill('SIGTERM');
  await once(supervisor, 'exit');
}

/** Runs a program to its end; a code other than 0 is an answer, not an exception. */
export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  input?: string,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { env, maxBuffer: 64 * 1024 ** 2 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(input ?? '');
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
