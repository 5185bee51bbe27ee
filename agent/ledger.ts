/**
 * The agent's durable memory: one file a task, replaced whole. Entries are changed in memory at once and written behind, many in one
 * sync; whoever must not go on before its entry is on disk awaits `durable`. It decides nothing and does not know what an entry means.
 *
 * A file that cannot be understood is moved aside under its own name with `.unreadable` added, and its task is in `unreadable` from
 * then on, so that nobody takes it for one that was never here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type LedgerTask, ledgerTaskSchema } from '../core/plan/ledger.ts';
import type { Clock } from './clock.ts';
import { makePrivateDirectory, replaceFile, syncDirectory } from './durable-file.ts';

export interface Ledger {
  get(taskId: string): LedgerTask | undefined;
  all(): readonly LedgerTask[];
  /** Tasks that were here and whose entry was lost, by the names of the files that were moved aside. */
  readonly unreadable: ReadonlySet<string>;
  put(task: LedgerTask): void;
  drop(taskId: string): void;
  /** Resolves once everything that was put or dropped for the task until now survives a power cut. */
  durable(taskId: string): Promise<void>;
}

/** The file operations of a ledger; a test makes them fail or stop. */
export interface LedgerFiles {
  replace(path: string, content: string): Promise<void>;
  remove(path: string): Promise<void>;
  sync(directory: string): Promise<void>;
}

const durableFiles: LedgerFiles = { replace: replaceFile, remove: unlink, sync: syncDirectory };

const entrySuffix = '.json';
const unreadableSuffix = '.json.unreadable';
const taskIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
/** A full disk must not turn into a busy loop. */
const retryWriteAfterMs = 1000;

export async function openLedger(
  directory: string,
  { log, clock, files = durableFiles }: { log: Logger; clock: Clock; files?: LedgerFiles },
): Promise<Ledger> {
  makePrivateDirectory(directory);
  const { entries, unreadable } = await readEntries(directory, log);
  const writer = createWriter(directory, entries, unreadable, { log, clock, files });
  return {
    get: (taskId) => entries.get(taskId),
    all: () => [...entries.values()],
    unreadable,
    put(task) {
      if (!taskIdPattern.test(task.taskId))
        throw new Error(`${JSON.stringify(task.taskId)} cannot be the id of a task`);
      entries.set(task.taskId, task);
      writer.changed(task.taskId);
    },
    drop(taskId) {
      entries.delete(taskId);
      writer.changed(taskId);
    },
    durable: (taskId) => writer.durable(taskId),
  };
}

interface Writer {
  changed(taskId: string): void;
  durable(taskId: string): Promise<void>;
}

/** Writes what changed, everything that gathered meanwhile in one round, with one sync of the directory a round. */
function createWriter(
  directory: string,
  entries: ReadonlyMap<string, LedgerTask>,
  unreadable: Set<string>,
  { log, clock, files }: { log: Logger; clock: Clock; files: LedgerFiles },
): Writer {
  let waiting = new Set<string>();
  let nextRound: Promise<void> | undefined;
  let writing: { ids: ReadonlySet<string>; round: Promise<void> } | undefined;

  const writeEntry = async (taskId: string): Promise<void> => {
    const path = join(directory, taskId + entrySuffix);
    const entry = entries.get(taskId);
    if (entry !== undefined) return await files.replace(path, JSON.stringify(entry));
    await removeIfThere(files, path);
    if (unreadable.has(taskId)) await removeIfThere(files, join(directory, taskId + unreadableSuffix));
    unreadable.delete(taskId);
  };
  const writeRound = async (ids: ReadonlySet<string>): Promise<void> => {
    for (;;) {
      try {
        await Promise.all([...ids].map(writeEntry));
        return await files.sync(directory);
      } catch (error) {
        log.error({ err: error, directory }, 'the ledger cannot be written; nothing that depends on it goes on');
        await clock.sleep(retryWriteAfterMs);
      }
    }
  };
  const runRound = async (): Promise<void> => {
    await writing?.round;
    const ids = waiting;
    waiting = new Set();
    nextRound = undefined;
    writing = { ids, round: writeRound(ids) };
    await writing.round;
  };

  return {
    changed(taskId) {
      waiting.add(taskId);
      nextRound ??= runRound();
    },
    async durable(taskId) {
      if (waiting.has(taskId)) return await nextRound;
      if (writing?.ids.has(taskId) === true) await writing.round;
    },
  };
}

async function readEntries(
  directory: string,
  log: Logger,
): Promise<{ entries: Map<string, LedgerTask>; unreadable: Set<string> }> {
  const entries = new Map<string, LedgerTask>();
  const unreadable = new Set<string>();
  for (const name of readdirSync(directory)) {
    if (name.endsWith(unreadableSuffix)) unreadable.add(name.slice(0, -unreadableSuffix.length));
    if (!name.endsWith(entrySuffix)) continue; // Also a `.tmp` of a write that a crash cut short: the next write replaces it.
    const taskId = name.slice(0, -entrySuffix.length);
    try {
      const entry = ledgerTaskSchema.parse(JSON.parse(readFileSync(join(directory, name), 'utf8')));
      if (entry.taskId !== taskId) throw new Error(`it is the entry of task ${entry.taskId}`);
      entries.set(taskId, entry);
    } catch (error) {
      const movedTo = taskId + unreadableSuffix;
      log.error(
        { taskId, err: error, movedTo },
        'the ledger’s entry of a task cannot be understood and was moved aside',
      );
      await rename(join(directory, name), join(directory, movedTo));
      unreadable.add(taskId);
    }
  }
  return { entries, unreadable };
}

async function removeIfThere(files: LedgerFiles, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
