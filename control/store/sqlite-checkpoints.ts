/**
 * Asks for checkpoints of the embedded store, which copy what its log holds into the file. They happen in a thread of their own with a
 * connection of its own (sqlite-checkpoint-thread.ts): they take tens of milliseconds of disk, and whoever writes or reads need not wait.
 * A thread is there once so much has been written that it is needed.
 */
import { Worker } from 'node:worker_threads';

/** Of items; some two pages each. */
const writesBetween = 500;

const thread = new URL(import.meta.resolve('./sqlite-checkpoint-thread.ts'));

export class Checkpoints {
  readonly #file: string;
  #worker: Worker | undefined;
  #asked = false;
  #writes = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** After as many items were written to the log. */
  wrote(items: number): void {
    this.#writes += items;
    if (this.#writes < writesBetween || this.#asked) return;
    this.#writes = 0;
    this.#asked = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage('checkpoint');
  }

  #start(): Worker {
    const worker = new Worker(thread, { workerData: this.#file, execArgv: ['--disable-warning=ExperimentalWarning'] });
    // It keeps no process alive. Where it fails, the connection that writes makes the checkpoints itself, later.
    worker.unref();
    worker.on('message', () => {
      this.#asked = false;
    });
    worker.on('error', () => {});
    return worker;
  }

  /** Resolves once the thread has closed its connection. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || worker.threadId === -1) return;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    // Also where it has failed, which `once` of node:events would throw.
    worker.once('exit', () => resolve());
    worker.ref();
    worker.postMessage('close');
    await ended;
  }
}
