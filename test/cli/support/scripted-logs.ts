/** Logs of tasks, written by the test: readers that follow get what comes until the log is ended or they leave. */
import type { LogSource } from '../../../control/deps.ts';
import type { LogLine } from '../../../core/model/task.ts';

export class ScriptedLogs implements LogSource {
  readonly #lines = new Map<string, LogLine[]>();
  readonly #ended = new Set<string>();
  readonly #failed = new Map<string, Error>();
  readonly #waiters = new Set<() => void>();

  write(taskId: string, ...lines: readonly Partial<LogLine>[]): void {
    const made = lines.map((line) => ({
      at: Date.UTC(2026, 0, 1),
      container: 'app',
      stream: 'stdout' as const,
      text: '',
      ...line,
    }));
    this.#lines.set(taskId, [...(this.#lines.get(taskId) ?? []), ...made]);
    this.#wake();
  }

  /** So many of the first are no longer there. */
  forget(taskId: string, count: number): void {
    this.#lines.set(taskId, (this.#lines.get(taskId) ?? []).slice(count));
  }

  end(taskId: string): void {
    this.#ended.add(taskId);
    this.#wake();
  }

  /** Whoever reads it gets the error after the lines. */
  fail(taskId: string, error: Error): void {
    this.#failed.set(taskId, error);
    this.#wake();
  }

  async *open(_hostId: string, request: Parameters<LogSource['open']>[1]): AsyncGenerator<readonly LogLine[]> {
    const { taskId, container, follow, tail, since = 0, signal } = request;
    const wanted = () =>
      (this.#lines.get(taskId) ?? []).filter(
        (line) => (container === undefined || line.container === container) && line.at >= since,
      );
    let sent = tail === undefined ? 0 : Math.max(0, wanted().length - tail);
    signal.addEventListener('abort', () => this.#wake());
    for (;;) {
      const lines = wanted().slice(sent);
      sent += lines.length;
      const failure = this.#failed.get(taskId);
      if (lines.length > 0) yield lines;
      else if (failure !== undefined) throw failure;
      else if (!follow || this.#ended.has(taskId) || signal.aborted) return;
      else await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }
}
