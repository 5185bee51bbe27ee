/**
 * Agents for tests: the real loops over a fake or a real host and a scripted control plane, in this process. An agent can be ended as SIGTERM
 * ends it, or killed at any point: then nothing that it had begun has any further effect.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { type Entitlement, runAgent } from '../../agent/agent.ts';
import type { Clock } from '../../agent/clock.ts';
import { type ControlPlane, createControlPlane } from '../../agent/control-plane/client.ts';
import { replaceFile, syncDirectory } from '../../agent/durable-file.ts';
import { openIdentity } from '../../agent/identity.ts';
import { type LedgerFiles, openLedger } from '../../agent/ledger.ts';
import type { WatchNotices } from '../../agent/loops/notices.ts';
import type { Runtime } from '../../agent/runtime.ts';

/** Writes of ledgers that are under way. */
const disk = {
  writing: new Set<Promise<void>>(),
  async write(work: () => Promise<void>): Promise<void> {
    const written = work();
    this.writing.add(written);
    try {
      await written;
    } finally {
      this.writing.delete(written);
    }
  },
};

/**
 * A clock that runs faster than the wall's, so that a stopTimeout of seconds costs a test milliseconds. The disk does not run faster:
 * nobody's patience with it ends while it writes, and a sleep that is over by then goes on until those who wait for the write are on.
 */
export function fastClock(speed = 50): Clock {
  return {
    now: () => Math.round(performance.timeOrigin + performance.now() * speed),
    async sleep(milliseconds, signal) {
      try {
        await delay(milliseconds / speed, undefined, signal === undefined ? {} : { signal });
      } catch {
        return; // Woken early.
      }
      while (disk.writing.size > 0 && signal?.aborted !== true) {
        await Promise.allSettled(disk.writing);
        await turn();
      }
    },
  };
}

/** The moments at which an agent can be killed: around each of its calls to the runtime and each of its writes. */
export interface KillPoints {
  /** Called at each; once it has killed the agent it never resolves. */
  reach(what: string): Promise<void>;
}

export interface TestAgent extends AsyncDisposable {
  /** As SIGTERM does; resolves when it has ended. */
  stop(): Promise<void>;
  /** As SIGKILL does. */
  kill(): void;
}

/** What outlives agents: each opens a runtime on it. `cut` takes the effect from calls that are under way. */
export interface AgentHost {
  open(): (Runtime & { cut(): void }) | Promise<Runtime>;
}

export interface TestAgentOptions {
  readonly directory: string;
  readonly host: AgentHost;
  readonly controlPlane: { readonly url: string };
  /** `host-1` where absent. */
  readonly name?: string;
  /** `default` where absent. */
  readonly cluster?: string;
  readonly clock?: Clock;
  readonly bootId?: string;
  readonly points?: KillPoints;
  /** True: what was written and not synced is lost when the agent is killed, as in a power cut. */
  readonly losesUnsynced?: boolean;
  readonly logLevel?: string;
  /** A join token where absent. */
  readonly entitlement?: () => Promise<Entitlement>;
  readonly watchNotices?: WatchNotices;
}

const never = new Promise<never>(() => {});

export async function startAgent(options: TestAgentOptions): Promise<TestAgent> {
  const { directory, host, controlPlane, clock = fastClock(), bootId = 'boot-1' } = options;
  const log = pino({ level: options.logLevel ?? process.env.TEST_LOG_LEVEL ?? 'silent' });
  const isKilled = new AbortController();
  const end = new AbortController();
  const identity = await openIdentity(directory, log);
  const files = ledgerFiles(options, isKilled.signal);
  const ledger = await openLedger(join(directory, 'tasks'), { log, clock, files });
  const session = await host.open();
  const client = createControlPlane(controlPlane.url, identity, clock);
  const ended = runAgent(
    {
      identity,
      ledger,
      runtime: session,
      controlPlane: cuttable(client, isKilled.signal),
      controlPlaneUrl: controlPlane.url,
      imagePolicy: { unusedForMs: 7 * 86_400_000, diskHigh: 0.85, diskLow: 0.8 },
      host: {
        cluster: options.cluster ?? 'default',
        name: options.name ?? 'host-1',
        address: '127.0.0.1',
        agentVersion: '0.0.0',
        cpuUnits: 2048,
        memoryMib: 4096,
        reservedPorts: [],
        attributes: {},
      },
      entitlement: options.entitlement ?? (async () => ({ token: 'token' })),
      watchNotices: options.watchNotices,
      bootId,
      clock,
      random: () => 0.5,
      log,
    },
    end.signal,
  );
  const kill = () => {
    isKilled.abort();
    if ('cut' in session) session.cut();
    end.abort();
  };
  return {
    kill,
    async stop() {
      end.abort();
      await ended;
      await session.close();
    },
    async [Symbol.asyncDispose]() {
      kill();
    },
  };
}

/** A directory for the agents of one test. */
export function agentDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'gantry-agent-'));
  return {
    path,
    [Symbol.dispose]() {
      // First out of the way: an agent that was killed may be in the middle of a write, and would make a file while they are removed.
      renameSync(path, `${path}-gone`);
      rmSync(`${path}-gone`, { recursive: true });
    },
  };
}

function ledgerFiles({ points, losesUnsynced }: TestAgentOptions, killed: AbortSignal): LedgerFiles {
  let unsynced: (() => Promise<void>)[] = [];
  const reach = async (what: string) => {
    await points?.reach(what);
    if (killed.aborted) await never;
  };
  const change = async (what: string, write: () => Promise<void>): Promise<void> => {
    await reach(`before ${what}`);
    if (losesUnsynced === true) unsynced.push(write);
    else await disk.write(write);
    await reach(`after ${what}`);
  };
  return {
    replace: (path, content) => change('write', () => replaceFile(path, content)),
    remove: (path) => change('unlink', () => unlink(path)),
    async sync(directory) {
      await reach('before sync');
      const writes = unsynced;
      unsynced = [];
      await disk.write(async () => {
        for (const write of writes) await write().catch(ignoreMissing);
        await syncDirectory(directory);
      });
      await reach('after sync');
    },
  };
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

/** Requests of a killed agent neither leave nor answer. */
function cuttable(client: ControlPlane, killed: AbortSignal): ControlPlane {
  const unlessKilled = async <T>(call: () => Promise<T>): Promise<T> => {
    if (killed.aborted) return await never;
    try {
      const answer = await call();
      return killed.aborted ? await never : answer;
    } catch (error) {
      if (killed.aborted) return await never;
      throw error;
    }
  };
  return {
    register: (request) => unlessKilled(() => client.register(request)),
    fetchDesired: (...args) => unlessKilled(() => client.fetchDesired(...args)),
    report: (...args) => unlessKilled(() => client.report(...args)),
    heartbeat: (...args) => unlessKilled(() => client.heartbeat(...args)),
    handOver: (...args) => unlessKilled(() => client.handOver(...args)),
    notice: (...args) => unlessKilled(() => client.notice(...args)),
  };
}
