/**
 * The agent's durable memory: one file a task, replaced whole. Entries are changed in memory at once and written behind, a moment later,
 * many in one sync; whoever must not go on before its entry is on disk awaits `durable`, which has it written at once. It decides
 * nothing and does not know what an entry means.
 *
 * A file that cannot be understood is moved aside under its own name with `.unreadable` added, and its task is in `unreadable` from
 * then on, so that nobody takes it for one that was never here. One that a newer agent wrote is left where it is, and none is opened.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type LedgerTask, ledgerSchemaVersion, ledgerTaskSchema } from '../core/plan/ledger.ts';
import type { Clock } from './clock.ts';
import { makePrivateDirectory, replaceFile, syncDirectory } from './durable-file.ts';
import { NewerFormat, refuseNewer } from './stored-format.ts';

export interface Ledger {
  get(taskId: string): LedgerTask | undefined;
  all(): readonly LedgerTask[];
  /** Tasks that were here and whose entry was lost, by the names of the files that were moved aside. */
  readonly unreadable: ReadonlySet<string>;
  put(task: LedgerTask): void;
  /** Like `put`, for what need not survive a crash: it is on disk with the next change. */
  note(task: LedgerTask): void;
  drop(taskId: string): void;
  /** Resolves once everything that was put or dropped for the task until now survives a power cut. */
  durable(taskId: string): Promise<void>;
  /** Resolves once everything is. */
  settled(): Promise<void>;
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
const temporarySuffix = '.tmp';
const taskIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
/** A full disk must not turn into a busy loop. */
const retryWriteAfterMs = 1000;
/** A task that is brought up changes several times a second, and few of these changes must be on disk before it goes on. */
const writeAfterMs = 250;

/** Throws NewerFormat where an entry was written by a newer agent. */
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
    note: (task) => void entries.set(task.taskId, task),
    drop(taskId) {
      entries.delete(taskId);
      writer.changed(taskId);
    },
    durable: (taskId) => writer.durable(taskId),
    settled: () => writer.settled(),
  };
}

interface Writer {
  changed(taskId: string): void;
  durable(taskId: string): Promise<void>;
  settled(): Promise<void>;
}

/** Writes what somebody waits for, or has waited for its time, in rounds: one at a time, with one sync of the directory each. */
function createWriter(
  directory: string,
  entries: ReadonlyMap<string, LedgerTask>,
  unreadable: Set<string>,
  { log, clock, files }: { log: Logger; clock: Clock; files: LedgerFiles },
): Writer {
  const changedIds = new Set<string>();
  let dueIds = new Set<string>();
  let isTimed = false;
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
    const ids = dueIds;
    dueIds = new Set();
    nextRound = undefined;
    for (const taskId of ids) changedIds.delete(taskId);
    writing = { ids, round: writeRound(ids) };
    await writing.round;
  };
  const write = async (taskIds: Iterable<string>): Promise<void> => {
    for (const taskId of taskIds) dueIds.add(taskId);
    nextRound ??= runRound();
    await nextRound;
  };
  const writeAllLater = async (): Promise<void> => {
    isTimed = true;
    await clock.sleep(writeAfterMs);
    isTimed = false;
    if (changedIds.size > 0) await write(changedIds);
  };

  return {
    changed(taskId) {
      changedIds.add(taskId);
      if (!isTimed) void writeAllLater();
    },
    async durable(taskId) {
      if (changedIds.has(taskId)) return await write([taskId]);
      if (writing?.ids.has(taskId) === true) await writing.round;
    },
    async settled() {
      if (changedIds.size > 0) return await write(changedIds);
      await writing?.round;
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
    if (name.endsWith(temporarySuffix)) rmSync(join(directory, name)); // Of a write that a crash cut short.
    if (!name.endsWith(entrySuffix)) continue;
    const taskId = name.slice(0, -entrySuffix.length);
    try {
      entries.set(taskId, readEntry(join(directory, name), taskId));
    } catch (error) {
      if (error instanceof NewerFormat) throw error;
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

function readEntry(path: string, taskId: string): LedgerTask {
  const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
  refuseNewer(path, stored, { member: 'schemaVersion', format: ledgerSchemaVersion });
  const entry = ledgerTaskSchema.parse(stored);
  if (entry.taskId !== taskId) throw new Error(`it is the entry of task ${entry.taskId}`);
  return entry;
}

async function removeIfThere(files: LedgerFiles, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
