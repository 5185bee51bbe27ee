/**
 * The embedded store's file: making and opening it, for one process at a time. The lock is on a file beside it, because the store itself
 * has two connections of this process: the one that reads and writes, and that of the checkpoints (sqlite-checkpoints.ts).
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GantryError } from '../../core/errors.ts';
import * as sql from './sqlite-schema.ts';

export interface SqliteFile {
  readonly db: DatabaseSync;
  /** Closed when nothing of this process has the store open any more. */
  readonly lock: DatabaseSync;
}

/** How long to wait for the process that has the file open: it may be about to end. */
const lockTimeoutMs = 1_000;

/** Throws ClientException where another process has it open, a newer Gantry wrote it, or it is something else. */
export function openSqliteFile(file: string): SqliteFile {
  const lock = lockFor(file);
  const db = new DatabaseSync(file, { open: false });
  try {
    createPrivately(file);
    db.open();
    prepareFile(db, file);
    return { db, lock };
  } catch (error) {
    if (db.isOpen) db.close();
    lock.close();
    throw error instanceof GantryError ? error : openingFault(error, file);
  }
}

/**
 * The exclusive locking mode holds an operating-system lock until the file is closed or the process is gone, however it ends, which a pid
 * file does not. The file stays empty.
 */
function lockFor(file: string): DatabaseSync {
  const path = `${file}-lock`;
  createPrivately(path);
  const lock = new DatabaseSync(path, { open: false, timeout: lockTimeoutMs });
  try {
    lock.open();
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
    return lock;
  } catch (error) {
    if (lock.isOpen) lock.close();
    throw openingFault(error, file);
  }
}

/** Exclusive creation, because opening and closing a file that SQLite has open would drop this process' locks on it. */
function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/**
 * Pages in memory, at most: what is written lies all over the file, and each page that is not there is read first. And the pages of the
 * log at which this connection makes a checkpoint itself: only where the thread of checkpoints has fallen behind.
 */
const memory = { cacheKib: 32 * 1024, logPages: 8000 };

function prepareFile(db: DatabaseSync, file: string): void {
  const isNew = pragma(db, 'schema_version') === 0;
  if (!isNew && pragma(db, 'application_id') !== sql.applicationId) {
    throw new GantryError('ClientException', `${file} is a database, but not one of Gantry's.`);
  }
  const version = pragma(db, 'user_version');
  if (version > sql.schemaVersion) {
    const message = `${dirname(file)} was written by a newer Gantry (store format ${version}; this one knows up to ${sql.schemaVersion}).`;
    throw new GantryError('ClientException', message, {
      hint: 'Use that version, or use another directory.',
    });
  }
  db.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
     PRAGMA cache_size = -${memory.cacheKib}; PRAGMA wal_autocheckpoint = ${memory.logPages}`,
  );
  if (isNew) db.exec(`BEGIN; ${sql.createSchema} COMMIT`);
}

const pragma = (db: DatabaseSync, name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);

const resultCode = { busy: 5, notADatabase: 26 };

function openingFault(error: unknown, file: string): GantryError {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  if (code === resultCode.busy) {
    return new GantryError(
      'ClientException',
      `The data directory ${dirname(file)} is in use by another Gantry process.`,
      {
        hint: 'End it (Ctrl-C of `gantry up` leaves tasks running, `gantry down` stops them), or use another directory.',
        cause: error,
      },
    );
  }
  if (code === resultCode.notADatabase) {
    return new GantryError('ClientException', `${file} is not a Gantry store.`, { cause: error });
  }
  return storeFault(`The store ${file} could not be opened`, error);
}

export function storeFault(what: string, cause: unknown): GantryError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GantryError('ServiceUnavailableException', `${what}: ${reason}.`, { cause });
}
