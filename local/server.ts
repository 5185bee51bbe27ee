/** The control plane of one machine as a process: its configuration, start and end. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { logTail, type ManagedProcess, runningPid, startManaged, stopManaged } from './managed-process.ts';
import { nodeCommand } from './node-command.ts';
import { type CloudOptions, type CloudPaths, cloudOptionsSchema } from './options.ts';

const serverEntry = fileURLToPath(import.meta.resolve('./server-main.ts'));

/** What the server process reads from its file. */
export const serverConfigSchema = z.strictObject({
  options: cloudOptionsSchema,
  /** Admits the hosts of this machine; made anew each time the server is configured. */
  joinToken: z.string(),
});
export type ServerConfig = z.infer<typeof serverConfigSchema>;

export const serverProcess = (paths: CloudPaths): ManagedProcess => ({
  pidFile: paths.serverPid,
  marker: paths.serverConfig,
});

export const serverUrl = ({ listen, port }: Pick<CloudOptions, 'listen' | 'port'>): string => `http://${listen}:${port}`;

/**
 * Starts the server, or adopts the one that still runs if it was started with the same options; one with others is replaced.
 * Answers once it takes requests. Throws an Error with the end of its log when it ends while starting.
 */
export async function ensureServer(config: ServerConfig, paths: CloudPaths): Promise<{ adopted: boolean }> {
  const process_ = serverProcess(paths);
  const running = runningPid(process_) !== undefined;
  const adopted = running && sameOptions(paths, config);
  if (running && !adopted) await stopManaged(process_);
  if (!adopted) startServer(config, paths);
  while (!(await isHealthy(config.options))) {
    if (runningPid(process_) === undefined)
      throw new Error(`The control plane ended while starting.\n${logTail(paths.serverLog)}`);
    await delay(20);
  }
  return { adopted };
}

export function startServer(config: ServerConfig, paths: CloudPaths): void {
  for (const dir of [paths.dataDir, paths.runDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(paths.serverConfig, JSON.stringify(config, null, 2), { mode: 0o600 });
  startManaged({
    ...serverProcess(paths),
    ...nodeCommand(serverEntry, [paths.serverConfig]),
    // Of the environment only what the AWS client looks for: a table on AWS needs credentials, nothing else does.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_') || name === 'HOME')),
    logFile: paths.serverLog,
  });
}

export const stopServer = (paths: CloudPaths): Promise<void> => stopManaged(serverProcess(paths));

/** The configuration that the server was last started with, if there is one. */
export function readServerConfig(paths: CloudPaths): ServerConfig | undefined {
  try {
    return serverConfigSchema.parse(JSON.parse(readFileSync(paths.serverConfig, 'utf8')));
  } catch {
    return undefined; // Never started here, or by a version that wrote it otherwise: the same as never.
  }
}

/** The token is not an option: an adopted server goes on with its own. */
const sameOptions = (paths: CloudPaths, config: ServerConfig): boolean =>
  JSON.stringify(readServerConfig(paths)?.options) === JSON.stringify(config.options);

async function isHealthy(options: CloudOptions): Promise<boolean> {
  try {
    const answer = await fetch(`${serverUrl(options)}/healthz`, { signal: AbortSignal.timeout(1000) });
    return answer.ok;
  } catch {
    return false; // Not listening yet.
  }
}
