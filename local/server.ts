/** The control plane of one machine as a process: its configuration, start and end. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { trustAuthority } from '../client/authority.ts';
import { hostToolsPath } from './containerd.ts';
import { logTail, type ManagedProcess, runningPid, startManaged, stopManaged } from './managed-process.ts';
import { nodeCommand } from './node-command.ts';
import { type CloudOptions, type CloudPaths, cloudOptionsSchema, cloudPaths } from './options.ts';

const serverEntry = fileURLToPath(import.meta.resolve('./server-main.ts'));

export const serverProcess = (paths: CloudPaths): ManagedProcess => ({
  pidFile: paths.serverPid,
  marker: paths.serverConfig,
});

/** As this machine itself reaches it. */
export function serverUrl({ listen, port, tls }: Pick<CloudOptions, 'listen' | 'port' | 'tls'>): string {
  // By this name the server shows its own certificate, whichever it shows to others.
  const here = tls ? 'localhost' : '127.0.0.1';
  const host = isWildcard(listen) || (tls && isLoopback(listen)) ? here : listen;
  return `${tls ? 'https' : 'http'}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';

export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || address.startsWith('127.');

/** The authority that the server's own certificate is from (PEM); undefined where it speaks plain HTTP, or has not started yet. */
export function serverAuthority({ tls }: Pick<CloudOptions, 'tls'>, paths: CloudPaths): string | undefined {
  return tls && existsSync(paths.tls.authority) ? readFileSync(paths.tls.authority, 'utf8') : undefined;
}

/**
 * Starts the server, or adopts the one that still runs if it was started with the same options; one with others is replaced.
 * Answers once it takes requests. Throws an Error with the end of its log when it ends while starting.
 */
export async function ensureServer(options: CloudOptions, paths: CloudPaths): Promise<{ adopted: boolean }> {
  const process_ = serverProcess(paths);
  const running = runningPid(process_) !== undefined;
  const adopted = running && sameOptions(paths, options);
  if (running && !adopted) await stopManaged(process_);
  if (!adopted) startServer(options, paths);
  while (!(await isHealthy(options))) {
    if (runningPid(process_) === undefined)
      throw new Error(`The control plane ended while starting.\n${logTail(paths.serverLog)}`);
    await delay(20);
  }
  return { adopted };
}

export function startServer(options: CloudOptions, paths: CloudPaths): void {
  for (const dir of [paths.dataDir, paths.runDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(paths.serverConfig, JSON.stringify(options, null, 2), { mode: 0o600 });
  startManaged({
    ...serverProcess(paths),
    ...nodeCommand(serverEntry, [paths.serverConfig]),
    env: serverEnvironment(),
    logFile: paths.serverLog,
  });
}

/**
 * What the AWS client looks for, as a table on AWS needs credentials; what OpenTelemetry looks for; and where the tools are of which hosts
 * are launched.
 */
const serverEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(?:AWS_|OTEL_|HOME$)/.test(name))),
  PATH: hostToolsPath(),
});

export const stopServer = (paths: CloudPaths): Promise<void> => stopManaged(serverProcess(paths));

/** The options that the cloud was last brought up with, if there are any. */
export function readOptions(paths: CloudPaths): CloudOptions | undefined {
  try {
    return cloudOptionsSchema.parse(JSON.parse(readFileSync(paths.serverConfig, 'utf8')));
  } catch {
    return undefined; // Never started here, or by a version that wrote it otherwise: the same as never.
  }
}

const sameOptions = (paths: CloudPaths, options: CloudOptions): boolean =>
  JSON.stringify(readOptions(paths)) === JSON.stringify(options);

export async function isHealthy(options: CloudOptions): Promise<boolean> {
  try {
    const authority = serverAuthority(options, cloudPaths(options));
    if (authority !== undefined) trustAuthority(authority);
    const answer = await fetch(`${serverUrl(options)}/healthz`, { signal: AbortSignal.timeout(1000) });
    return answer.ok;
  } catch {
    return false; // Not listening yet.
  }
}
