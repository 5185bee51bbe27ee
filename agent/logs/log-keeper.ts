/**
 * The logs of this host's containers while they are written: one KeptLog each, from before its container to its removal, taken up again
 * by the next agent. Of logs that are finished nothing is in memory.
 */
import type { Logger } from 'pino';
import type { LogTarget } from '../../core/model/log-target.ts';
import type { Clock } from '../clock.ts';
import type { Bell } from '../loops/bell.ts';
import { KeptLog } from './kept-log.ts';
import { defaultLog } from './log-record.ts';
import type { LogPaths, LogStore } from './log-store.ts';
import type { LogShippers } from './shippers.ts';

interface KeeperParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Who sends on what is kept, where that is asked for. */
  readonly shippers: LogShippers;
}

export class LogKeeper {
  readonly store: LogStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #shippers: LogShippers;
  /** By task and container, of those that are written. */
  readonly #tasks = new Map<string, Map<string, KeptLog>>();
  /** Directories of logs that are being made. */
  readonly #making = new Set<string>();
  readonly #bells = new Map<string, Set<Bell>>();

  constructor(store: LogStore, { clock, log, shippers }: KeeperParts) {
    this.store = store;
    this.#clock = clock;
    this.#log = log;
    this.#shippers = shippers;
  }

  /**
   * Goes on with what an earlier agent kept of tasks that are still here, and ends what is kept of others. What was written meanwhile
   * has a time that is approximate.
   */
  async takeUp(isHere: (taskId: string) => boolean): Promise<void> {
    for (const taskId of await this.store.tasks())
      for (const container of await this.store.containers(taskId))
        try {
          const log = await this.#open(taskId, container);
          if (log === undefined) continue;
          if (!isHere(taskId)) await log.finish();
          if (!log.isFinished) {
            await log.begin();
            this.#put(taskId, container, log);
          }
          await this.#ship(taskId, container, log);
        } catch (error) {
          this.#log.warn(
            { err: error, taskId, container },
            'a log cannot be taken up; its lines are kept without times',
          );
        }
  }

  /** Makes the files, for whom nothing was written yet. */
  async create(taskId: string, container: string, target: LogTarget = defaultLog): Promise<LogPaths> {
    if (this.#tasks.get(taskId)?.has(container) === true) return this.store.paths(taskId, container); // An earlier attempt broke off.
    const directory = this.store.directoryOf(taskId, container);
    this.#making.add(directory);
    try {
      if (target.driver === 'awslogs') await this.#shippers.prepare(taskId, container, target);
      const paths = await this.store.create(taskId, container);
      const log = await this.#open(taskId, container);
      if (log === undefined) throw new Error('its log was removed while it was made');
      await log.begin(target);
      this.#put(taskId, container, log);
      await this.#ship(taskId, container, log);
      return paths;
    } finally {
      this.#making.delete(directory);
    }
  }

  /** Undefined where there is none, or none yet. */
  async of(taskId: string, container: string): Promise<KeptLog | undefined> {
    const written = this.#tasks.get(taskId)?.get(container);
    if (written !== undefined || this.#making.has(this.store.directoryOf(taskId, container))) return written;
    return await this.#open(taskId, container);
  }

  /** Nothing is written any more by this container, or by any of the task. Fine where there is no log. */
  async finish(taskId: string, container?: string): Promise<void> {
    const logs = this.#tasks.get(taskId);
    for (const [name, log] of logs ?? []) {
      if (container !== undefined && name !== container) continue;
      await log.finish();
      logs?.delete(name);
    }
    if (logs?.size === 0) this.#tasks.delete(taskId);
  }

  /** The container is to end: it must not be held up for its log any more. */
  async letGo(taskId: string, container?: string): Promise<void> {
    await this.#shippers.letGo(taskId, container);
  }

  async remove(taskId: string): Promise<void> {
    await this.#shippers.stop(taskId);
    for (const log of this.#tasks.get(taskId)?.values() ?? []) log.close();
    this.#tasks.delete(taskId);
    await this.store.remove(taskId);
  }

  /** Rings when a log of the task has grown, has a beginning, or is finished. */
  ringOnGrowth(taskId: string, bell: Bell): Disposable {
    const bells = this.#bells.get(taskId) ?? new Set();
    this.#bells.set(taskId, bells.add(bell));
    return {
      [Symbol.dispose]: () => {
        bells.delete(bell);
        if (bells.size === 0 && this.#bells.get(taskId) === bells) this.#bells.delete(taskId);
      },
    };
  }

  async close(): Promise<void> {
    await this.#shippers.stop();
    for (const logs of this.#tasks.values()) for (const log of logs.values()) log.close();
  }

  async #open(taskId: string, container: string): Promise<KeptLog | undefined> {
    if (!(await this.store.isCreated(taskId, container))) return undefined;
    return await KeptLog.open({
      directory: this.store.directoryOf(taskId, container),
      paths: this.store.paths(taskId, container),
      clock: this.#clock,
      log: this.#log,
      grown: () => this.#ring(taskId),
    });
  }

  async #ship(taskId: string, container: string, kept: KeptLog): Promise<void> {
    if (kept.target.driver === 'awslogs') await this.#shippers.begin({ taskId, container, kept }, kept.target);
  }

  #put(taskId: string, container: string, log: KeptLog): void {
    const logs = this.#tasks.get(taskId) ?? new Map<string, KeptLog>();
    this.#tasks.set(taskId, logs.set(container, log));
    this.#ring(taskId);
  }

  #ring(taskId: string): void {
    this.#shippers.grown(taskId);
    for (const bell of this.#bells.get(taskId) ?? []) bell.ring();
  }
}
