/**
 * The command line in this process, before a real control plane on loopback that signs and checks as in life, with scripted hosts, a
 * clock that the test moves, and logs that the test writes. Nothing here knows what any command should print.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Keyboard } from '../../../cli/ask.ts';
import type { LocalConnection } from '../../../cli/connection.ts';
import type { LocalCloud } from '../../../cli/context.ts';
import type { ContextFile } from '../../../cli/contexts/disk.ts';
import { main } from '../../../cli/main.ts';
import type { Credentials } from '../../../client/signer.ts';
import { createApi } from '../../../control/http/app.ts';
import { sigV4Authenticator } from '../../../control/http/auth/authenticator.ts';
import { everyRight } from '../../../core/model/rights.ts';
import { refusals } from '../../../lambdas/capabilities.ts';
import { startWorld, type World, type WorldOptions } from '../../control/support/world.ts';
import { FakeLocal } from './fake-local.ts';
import { ScriptedLogs } from './scripted-logs.ts';
import { Terminal } from './terminal.ts';

export interface CallOptions {
  /** Whether both streams are a terminal, of how many columns. */
  readonly columns?: number;
  readonly rows?: number;
  /** Of the two, standard error goes elsewhere. */
  readonly errorsElsewhere?: boolean;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly local?: LocalCloud;
  readonly awsCredentials?: () => Promise<Credentials>;
  /** What is typed, or comes on standard input. */
  readonly stdin?: Keyboard;
  readonly contexts?: ContextFile;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves once the text was printed; rejects with everything printed when the command ends without. */
  said(text: string): Promise<void>;
}

export interface Desk extends AsyncDisposable {
  readonly world: World;
  readonly connection: LocalConnection;
  readonly logs: ScriptedLogs;
  start(argv: readonly string[], options?: CallOptions): Running;
  gantry(argv: readonly string[], options?: CallOptions): Promise<Ended>;
  /** Resolves once the control plane was asked for an address that ends so. */
  asked(end: string): Promise<void>;
  /** Breaks every connection, as a control plane does that is killed. */
  cutConnections(): void;
}

/** With `streams: false` the platform answers whole or not at all, as API Gateway does. */
export async function openDesk({
  streams = true,
  ...options
}: WorldOptions & { streams?: boolean } = {}): Promise<Desk> {
  const world = await startWorld(options);
  const { control } = world;
  const logs = new ScriptedLogs();
  const authenticator = sigV4Authenticator(control.accessKeys, { region: 'us-east-1', now: () => Date.now() });
  const deps = { ...control.deps, logs };
  const { handlers, hostsApp } = control;
  const app = createApi({ deps, handlers, hostsApp, authenticator, ...(!streams && { refusals }) });
  const listener = getRequestListener(app.fetch);
  const urls: string[] = [];
  const server = createServer((request, response) => {
    urls.push(request.url ?? '');
    void listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const { accessKeyId, secretAccessKey } = await control.accessKeys.create({
    arn: 'arn:aws:iam::000000000000:user/test',
    ...everyRight,
  });
  const connection = {
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  };
  const start = (argv: readonly string[], call: CallOptions = {}): Running =>
    startCommand(argv, call, connection, () => world.now());
  return {
    world,
    connection,
    logs,
    start,
    gantry: (argv, call) => start(argv, call).ended,
    async asked(end) {
      while (!urls.some((url) => url.endsWith(end))) await once(server, 'request');
    },
    cutConnections: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

const noContexts: ContextFile = {
  path: '/nowhere/config.yaml',
  read: () => ({ contexts: {} }),
  write: () => {
    throw new Error('nobody may keep a context');
  },
};

/** A command with neither control plane nor cloud, unless they are given. */
export function startCommand(
  argv: readonly string[],
  {
    columns,
    rows,
    errorsElsewhere = false,
    files = {},
    env = {},
    signal = new AbortController().signal,
    local = new FakeLocal(),
    awsCredentials = () => Promise.reject(new Error('nobody may ask for AWS credentials')),
    stdin = Readable.from([]),
    contexts = noContexts,
  }: CallOptions,
  connection?: LocalConnection | (() => LocalConnection | undefined),
  now: () => number = () => 0,
): Running {
  const terminal = new Terminal(columns, errorsElsewhere, rows);
  const ended = main(argv, {
    stdin,
    contexts,
    stdout: terminal.stdout,
    stderr: terminal.stderr,
    env,
    now,
    readFile: (path) => readFrom(files, path),
    local,
    localConnection: typeof connection === 'function' ? connection : () => connection,
    awsCredentials,
    signal,
  }).then((code) => {
    terminal.end();
    return { code, stdout: terminal.stdout.text, stderr: terminal.stderr.text };
  });
  return { ended, said: (text) => terminal.said(text) };
}

function readFrom(files: Readonly<Record<string, string>>, path: string): Promise<string> {
  const found = Object.entries(files).find(([name]) => path.endsWith(name))?.[1];
  if (found !== undefined) return Promise.resolve(found);
  return Promise.reject(new Error(`ENOENT: no such file or directory, open '${path}'`));
}
