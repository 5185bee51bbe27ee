/**
 * The control plane's process on one machine: reads its configuration, opens the store, serves HTTP and the hosts' WebSockets, ends
 * on SIGTERM with what it has accepted finished. Wires; decides nothing.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { pino } from 'pino';
import { type Control, createControl } from '../control/create.ts';
import { createApi } from '../control/http/app.ts';
import { noAuthentication, sigV4Authenticator } from '../control/http/auth/authenticator.ts';
import { createThrottle, keyRates } from '../control/http/throttle.ts';
import { createSecretBox } from '../control/keys/secret-box.ts';
import { UnopenedSecret } from '../control/keys/unopened-secret.ts';
import { defaultClusterName } from '../core/model/cluster.ts';
import { everyRight } from '../core/model/rights.ts';
import { readStoredCredentials } from './context.ts';
import { readDataKey } from './data-key.ts';
import { openLocalFleet } from './fleet/local-fleet.ts';
import { acceptHostSockets } from './host-sockets.ts';
import { createHttpServer, type HttpServer, remoteAddress } from './http-server.ts';
import { openTable } from './open-table.ts';
import { type CloudOptions, type CloudPaths, cloudOptionsSchema, cloudPaths } from './options.ts';
import { openTls, type ServerTls } from './tls/server-tls.ts';
import { boundLog } from './watch/log-size.ts';
import { openWatch, type Watch } from './watch/watch.ts';
import { writeWhole } from './whole-file.ts';

/** What was accepted is mostly a matter of milliseconds, and long polls end at once; a connection that lasts longer is cut. */
const drainMs = 6_000;
const endMs = 9_000;
/** A hundred thousand requests. */
const maxLogBytes = 32 * 1024 * 1024;

const options = cloudOptionsSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const paths = cloudPaths(options);
const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());

await main();

async function main(): Promise<void> {
  mkdirSync(paths.dataDir, { recursive: true, mode: 0o700 });
  const tls = options.tls ? await openTls(options, paths, Date.now()) : undefined;
  const fleet = await openLocalFleet({
    options,
    log,
    // Each admits one host, which has joined within moments or is replaced.
    joinToken: (cluster) => control.joinTokens.create({ cluster, reusable: false, lifetimeSeconds: 3600 }),
  });
  const watch = await openWatch({ env: process.env, metricsAccess: options.metrics });
  const control: Control = await createControl({
    table: watch.table(await openTable(options)),
    log,
    metrics: watch.metrics,
    tracing: watch.tracing,
    fleet,
    secretBox: createSecretBox(readDataKey(paths)),
    clock: { now: () => Date.now() },
    random: () => Math.random(),
    newId: () => randomBytes(16).toString('hex'),
    settings: {
      heartbeatSeconds: options.heartbeatSeconds,
      retentionSeconds: options.retentionDays * 24 * 3600,
      auditSeconds: options.auditDays * 24 * 3600,
      webhookAddresses: options.webhookAddresses,
      ...(tls?.pin !== undefined && { certificatePin: tls.pin }),
    },
    realm: { region: options.region, accountId: options.accountId },
  });
  await ensureSecrets(control, paths);
  fleet.start();
  control.start();
  setInterval(keepLogSmall, 10_000).unref();
  const server = await serve(control, watch, tls);
  log.info({ listen: options.listen, port: options.port, store: options.store }, 'the control plane is up');
  if (!ended.signal.aborted) await once(ended.signal, 'abort');
  // What still hangs then ends with the process: whoever has sent the signal waits for ten seconds.
  setTimeout(() => process.exit(), endMs).unref();
  // Hosts and readers of streams that are still there dial the next one.
  await server.close(drainMs, () => control.end());
  await control.close();
  await fleet.close();
  await watch.close();
  log.info('the control plane has ended');
}

function keepLogSmall(): void {
  try {
    boundLog({ fd: process.stdout.fd, file: paths.serverLog, maxBytes: maxLogBytes });
  } catch (error) {
    log.warn({ err: error }, 'the log could not be shortened');
  }
}

/**
 * The first access key and the token that admits this machine's hosts: made once for a store, kept where only root reads. A first key
 * that was deleted, or cannot be opened, is made anew, or nobody on this machine could sign a request any more.
 */
async function ensureSecrets(control: Control, { credentials, joinToken }: CloudPaths): Promise<void> {
  // Of the oldest stores the first key is in no listing.
  await control.accessKeys.sealAll(readStoredCredentials(credentials)?.accessKeyId);
  if (!(await isKnown(control, credentials))) {
    const arn = `arn:aws:iam::${control.deps.realm.accountId}:user/admin`;
    const { accessKeyId, secretAccessKey } = await control.accessKeys.create({ arn, ...everyRight });
    writeWhole(credentials, JSON.stringify({ accessKeyId, secretAccessKey }));
  }
  if (!existsSync(joinToken)) {
    const token = await control.joinTokens.create({ cluster: defaultClusterName, reusable: true });
    writeWhole(joinToken, token);
  }
}

async function isKnown({ accessKeys }: Control, file: string): Promise<boolean> {
  const stored = readStoredCredentials(file);
  try {
    return stored !== undefined && (await accessKeys.find(stored.accessKeyId)) !== undefined;
  } catch (error) {
    if (!(error instanceof UnopenedSecret)) throw error;
    log.error({ err: error }, `${paths.dataKey} is not the one that sealed the keys of this store: make keys anew`);
    return false;
  }
}

async function serve(control: Control, watch: Watch, tls: ServerTls | undefined): Promise<HttpServer> {
  const { deps, handlers, hostsApp } = control;
  const throttle = createThrottle({
    rates: keyRates({ reads: options.readRate, mutations: options.mutationRate }),
    now: () => deps.clock.now(),
    addressOf: remoteAddress,
  });
  const authenticator = authenticatorOf(control, options);
  const app = createApi({ deps, handlers, hostsApp, throttle, authenticator, ...watch.api(control) });
  const listener = getRequestListener(app.fetch);
  const http = httpServer((request, response) => void listener(request, response), tls);
  acceptHostSockets(http.server, control, log);
  http.server.listen({ host: options.listen, port: options.port });
  await once(http.server, 'listening');
  return http;
}

function authenticatorOf({ accessKeys, deps }: Control, { auth, accountId, region }: CloudOptions) {
  if (auth === 'none') return noAuthentication(accountId);
  return sigV4Authenticator(accessKeys, { region, now: () => deps.clock.now() });
}

/** Certificates end, machines get other addresses, and operators put others in their place: all without a new start. */
function httpServer(listener: RequestListener, first: ServerTls | undefined): HttpServer {
  if (first === undefined) return createHttpServer(listener);
  let now = first;
  const http = createHttpServer(listener, undefined, { shown: now.shown, contextFor: (name) => now.contextFor(name) });
  const look = async () => {
    try {
      now = await openTls(options, paths, Date.now());
      if ('setSecureContext' in http.server) http.server.setSecureContext({ ...now.shown, minVersion: 'TLSv1.2' });
    } catch (error) {
      log.error({ err: error }, 'the certificate could not be looked after; the one before is still shown');
    }
  };
  setInterval(() => void look(), 3600_000).unref();
  return http;
}
