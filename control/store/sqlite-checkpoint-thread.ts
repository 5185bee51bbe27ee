/** The thread that copies the embedded store's log into its file, when it is asked to. Its data is the file's name. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

/** The store may be about to be closed, which takes a lock for a moment. */
const lockTimeoutMs = 10_000;

const db = new DatabaseSync(z.string().parse(workerData), { timeout: lockTimeoutMs });
// As far as nobody is in the way: neither readers nor the writer wait for it.
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort?.on('message', (message: unknown) => {
  if (message === 'close') {
    db.close();
    parentPort?.close();
    return;
  }
  checkpoint.get();
  parentPort?.postMessage('done');
});
