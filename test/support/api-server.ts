/**
 * The API as clients meet it: the real app over a real store in a temporary directory, served on loopback by Node, with signatures
 * verified. No host is there until a test makes one.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ECSClient } from '@aws-sdk/client-ecs';
import { getRequestListener } from '@hono/node-server';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { pino } from 'pino';
import type { Credentials } from '../../client/signer.ts';
import { type Control, createControl } from '../../control/create.ts';
import { createApi } from '../../control/http/app.ts';
import { noAuthentication, sigV4Authenticator } from '../../control/http/auth/authenticator.ts';
import type { Throttle } from '../../control/http/throttle.ts';
import type { AccessKey } from '../../control/keys/find-access-key.ts';
import type { SecretBox } from '../../control/keys/secret-box.ts';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import { type Action, allActions } from '../../core/api/operation.ts';
import { everyRight, type Rights } from '../../core/model/rights.ts';
import { acceptHostSockets } from '../../local/host-sockets.ts';
import { type ConnectionLimits, createHttpServer, type HttpServer } from '../../local/http-server.ts';
import type { Watch } from '../../local/watch/watch.ts';
import { type HostOptions, ScriptedHost } from '../control/support/scripted-host.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined where there is no body. */
  readonly body: unknown;
}

export interface ApiServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly server: Server;
  /** An administrator's. */
  readonly credentials: Credentials;
  readonly control: Control;
  /** A key that may do no more than these, in these clusters; its tasks may take everything unless it is told otherwise. */
  readonly keyFor: (
    actions: readonly Action[],
    clusters?: Rights['clusters'],
    rights?: Omit<Rights, 'actions' | 'clusters'>,
  ) => Promise<AccessKey>;
  /** `POST /` with X-Amz-Target, signed. Text and bytes are sent as they are. */
  readonly wire: (operation: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>;
  /** Signed. Text and bytes are sent as they are. */
  readonly rest: (method: string, path: string, body?: unknown) => Promise<Answer>;
  /** The same two for whoever has these credentials. */
  readonly as: (credentials: Credentials) => Pick<ApiServer, 'wire' | 'rest'>;
  /** AWS' own client, which tries once. */
  readonly ecs: (options?: ConstructorParameters<typeof ECSClient>[0]) => ECSClient;
  /** A host that may be given tasks. */
  readonly host: (options?: HostOptions) => Promise<ScriptedHost>;
}

const region = 'us-east-1';
const log = pino({ level: process.env.GANTRY_TEST_LOG ?? 'silent' });

export interface ApiServerOptions {
  readonly auth?: 'sigv4' | 'none';
  readonly throttle?: Throttle;
  readonly limits?: ConnectionLimits;
  /** As `gantry up` watches it. */
  readonly watch?: Watch;
  readonly secretBox?: SecretBox;
  /** Hears each line of its log. */
  readonly onLog?: (line: object) => void;
}

export async function startApi({ auth = 'sigv4', onLog, ...options }: ApiServerOptions = {}): Promise<ApiServer> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'gantry-http-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const { watch } = options;
  const table = openSqliteTable({ file: join(directory, 'store.db') });
  const control = await createControl({
    table: watch?.table(table) ?? table,
    ...(watch !== undefined && { metrics: watch.metrics, tracing: watch.tracing }),
    clock: { now: () => Date.now() },
    random: () => Math.random(),
    newId: () => randomBytes(16).toString('hex'),
    log: onLog === undefined ? log : pino({ level: 'debug' }, { write: (line: string) => onLog(JSON.parse(line)) }),
    realm: { region },
    secretBox: options.secretBox,
  });
  started.defer(() => control.close());
  const http = await serve(control, auth, options);
  started.defer(() => http.close(0, () => control.end()));
  const address = http.server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const keyFor: ApiServer['keyFor'] = (actions, clusters = 'all', rights = everyRight) => {
    const arn = `arn:aws:iam::000000000000:user/test-${actions.join('-')}`;
    return control.accessKeys.create({ arn, ...rights, actions, clusters });
  };
  const credentials = await keyFor(allActions);
  const all = started.move();
  return {
    endpoint,
    server: http.server,
    region,
    credentials,
    control,
    keyFor,
    ...senders(endpoint, credentials),
    as: (others) => senders(endpoint, others),
    ecs(options = {}) {
      const client = new ECSClient({ endpoint, region, credentials, maxAttempts: 1, ...options });
      all.defer(() => client.destroy());
      return client;
    },
    async host(options) {
      const token = await control.joinTokens.create({ cluster: 'default', reusable: true });
      return new ScriptedHost(control, options).join(token);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function serve(
  control: Control,
  auth: 'sigv4' | 'none',
  { throttle, limits, watch }: ApiServerOptions,
): Promise<HttpServer> {
  const { deps, handlers, hostsApp, accessKeys } = control;
  const authenticator =
    auth === 'none'
      ? noAuthentication(deps.realm.accountId)
      : sigV4Authenticator(accessKeys, { region, now: () => deps.clock.now() });
  const listener = getRequestListener(
    createApi({
      deps,
      handlers,
      hostsApp,
      authenticator,
      ...(throttle !== undefined && { throttle }),
      ...watch?.api(control),
    }).fetch,
  );
  const http = createHttpServer((request, response) => void listener(request, response), limits);
  acceptHostSockets(http.server, control, log);
  http.server.listen(0, '127.0.0.1');
  await once(http.server, 'listening');
  return http;
}

function senders(endpoint: string, credentials: Credentials): Pick<ApiServer, 'wire' | 'rest'> {
  const signer = new SignatureV4({ credentials, region, service: 'ecs', sha256: Sha256 });

  async function send(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
    const isReady = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const content = isReady ? body : JSON.stringify(body);
    const url = new URL(path, endpoint);
    const withBody = content === undefined ? {} : { body: content };
    const signed = await signer.sign({
      method,
      protocol: 'http:',
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries([...url.searchParams.keys()].map((name) => [name, url.searchParams.getAll(name)])),
      headers: { host: url.host, ...headers },
      ...withBody,
    });
    const response = await fetch(url, { method, headers: signed.headers, ...withBody });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  return {
    wire: (operation, body, headers = {}) =>
      send('POST', '/', body, {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
        ...headers,
      }),
    rest: (method, path, body) =>
      send(method, path, body, body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}
