/**
 * The agent's process: `node agent/main.ts <configuration.json>` (or its path in GANTRY_AGENT_CONFIG; or `--version`). Reads what it is
 * told, opens the host's machinery and runs the agent until SIGTERM or SIGINT; containers run on. Logs JSON to stderr. Exit code 0
 * after a signal, 1 where it cannot start or meets an error that it does not understand.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Logger, pino } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { type AgentDeps, runAgent } from './agent.ts';
import { bootId } from './boot-id.ts';
import { type Clock, systemClock } from './clock.ts';
import { readAgentConfig } from './config.ts';
import { createContainerdRuntime } from './containerd/runtime.ts';
import { createControlPlane } from './control-plane/client.ts';
import { controlPlaneCredentials } from './control-plane/registry-credentials.ts';
import { makePrivateDirectory } from './durable-file.ts';
import { openIdentity } from './identity.ts';
import { openLedger } from './ledger.ts';
import type { Random } from './loops/backoff.ts';
import { openPlatform, type Platform } from './platform.ts';
import { describedHost } from './registration.ts';
import { holdDirectory } from './single-instance.ts';

/** A step that hangs does not keep the process: what it has done is found by the next agent. */
const shutdownTimeoutMs = 2000;

async function main(): Promise<void> {
  const argument = process.argv[2] ?? process.env.GANTRY_AGENT_CONFIG;
  if (argument === undefined) throw new Error('Usage: node agent/main.ts <configuration.json>');
  if (argument === '--version') return void process.stdout.write(`${packageJson.version}\n`);
  const config = readAgentConfig(argument);
  const log = pino({ level: config.logLevel, base: null }, pino.destination(2));
  trust(config.certificateAuthority);
  const end = endOnSignal(log);
  const deps = { clock: systemClock, random: Math.random, log };
  const platform = await openPlatform(config, process.env, deps, end);
  if (platform !== undefined) {
    await Promise.race([run(platform, deps, end), hasTimedOut(end)]);
    if (config.pidFile !== undefined) rmSync(config.pidFile, { force: true });
  }
  log.info('the agent has ended; containers run on');
  process.exit(0);
}

/** Of this process alone, for whatever it speaks to. */
function trust(authority: string | undefined): void {
  if (authority !== undefined) setDefaultCACertificates([...getCACertificates('default'), authority]);
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

async function run(platform: Platform, surroundings: Surroundings, end: AbortSignal): Promise<void> {
  const { host } = platform;
  const log = surroundings.log.child({ host: host.hostName });
  makePrivateDirectory(host.dataDirectory);
  await holdDirectory(host.dataDirectory);
  if (host.pidFile !== undefined) writeFileSync(host.pidFile, `${process.pid}\n`);
  const identity = await openIdentity(host.dataDirectory, log);
  const controlPlane = createControlPlane(host.controlPlaneUrl, identity, surroundings.clock);
  const named = controlPlaneCredentials(controlPlane, identity, surroundings.clock);
  const runtime = await createContainerdRuntime(host.runtime, {
    log,
    registryCredentials: (registry, name) =>
      name === undefined ? (platform.registryCredentials?.(registry) ?? nothing) : named(registry, name),
  });
  log.info({ version: packageJson.version }, 'the agent is running');
  await runAgent(await agentDeps({ platform, runtime, identity, controlPlane }, { ...surroundings, log }), end);
  await runtime.close();
}

const nothing = Promise.resolve(undefined);

interface Opened extends Pick<AgentDeps, 'runtime' | 'identity' | 'controlPlane'> {
  readonly platform: Platform;
}

async function agentDeps({ platform, ...opened }: Opened, surroundings: Surroundings): Promise<AgentDeps> {
  const { host } = platform;
  const { clock, log } = surroundings;
  const { images } = host.runtime;
  return {
    ...surroundings,
    ...opened,
    ledger: await openLedger(join(host.dataDirectory, 'tasks'), { log, clock }),
    controlPlaneUrl: host.controlPlaneUrl,
    host: describedHost(host, packageJson.version),
    entitlement: () => platform.entitlement(opened.identity.publicKey),
    watchNotices: platform.watchNotices,
    imagePolicy: {
      unusedForMs: images.keepUnusedHours * 3600_000,
      diskHigh: images.diskHighPercent / 100,
      diskLow: images.diskLowPercent / 100,
    },
    bootId: bootId(),
  };
}

function endOnSignal(log: Logger): AbortSignal {
  const end = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'ending');
      end.abort();
    });
  }
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the agent met an error that it does not understand');
    process.exit(1); // Whoever supervises it starts it again; the ledger knows where it was.
  });
  return end.signal;
}

function hasTimedOut(end: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    end.addEventListener('abort', () => void systemClock.sleep(shutdownTimeoutMs).then(resolve));
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'unknown error'}\n`);
  process.exitCode = 1;
}
