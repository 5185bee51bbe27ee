/**
 * The agent's process: `node agent/main.ts <configuration.json>` (or its path in GANTRY_AGENT_CONFIG). Reads what it is told, opens
 * the host's machinery and runs the agent until SIGTERM or SIGINT; containers run on. Logs JSON to stderr. Exit code 0 after a
 * signal, 1 where it cannot start or meets an error that it does not understand.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { type AgentDeps, runAgent } from './agent.ts';
import { systemClock } from './clock.ts';
import { type AgentConfig, readAgentConfig } from './config.ts';
import { createContainerdRuntime } from './containerd/runtime.ts';
import { createControlPlane } from './control-plane/client.ts';
import { makePrivateDirectory } from './durable-file.ts';
import { openIdentity } from './identity.ts';
import { openLedger } from './ledger.ts';
import type { Runtime } from './runtime.ts';
import { holdDirectory } from './single-instance.ts';

/** A step that hangs does not keep the process: what it has done is found by the next agent. */
const shutdownTimeoutMs = 2000;

async function main(): Promise<void> {
  const configPath = process.argv[2] ?? process.env.GANTRY_AGENT_CONFIG;
  if (configPath === undefined) throw new Error('Usage: node agent/main.ts <configuration.json>');
  const config = readAgentConfig(configPath);
  const log = pino({ level: config.logLevel, base: { host: config.hostName } }, pino.destination(2));
  const end = endOnSignal(log);
  makePrivateDirectory(config.dataDirectory);
  await holdDirectory(config.dataDirectory);
  if (config.pidFile !== undefined) writeFileSync(config.pidFile, `${process.pid}\n`);
  const runtime = await createContainerdRuntime(config.runtime, { log });
  log.info({ version: packageJson.version }, 'the agent is running');
  await Promise.race([run(config, runtime, log, end), hasTimedOut(end)]);
  if (config.pidFile !== undefined) rmSync(config.pidFile, { force: true });
  log.info('the agent has ended; containers run on');
  process.exit(0);
}

async function run(config: AgentConfig, runtime: Runtime, log: Logger, end: AbortSignal): Promise<void> {
  const clock = systemClock;
  const identity = await openIdentity(config.dataDirectory, log);
  const deps: AgentDeps = {
    identity,
    ledger: await openLedger(join(config.dataDirectory, 'tasks'), { log, clock }),
    runtime,
    controlPlane: createControlPlane(config.controlPlaneUrl, identity, clock),
    controlPlaneUrl: config.controlPlaneUrl,
    host: {
      cluster: config.cluster,
      name: config.hostName,
      address: config.address,
      agentVersion: packageJson.version,
      cpuUnits: config.cpuUnits,
      memoryMib: config.memoryMib,
      reservedPorts: config.reservedPorts,
      attributes: config.attributes,
    },
    entitlement: async () => ({ token: config.joinToken }),
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    clock,
    random: Math.random,
    log,
  };
  await runAgent(deps, end);
  await runtime.close();
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
