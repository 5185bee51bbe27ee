/**
 * Who sends logs on: one Shipping for each log that is kept of a container with the log driver awslogs, from its creation until all of it
 * is sent, taken up again by the next agent. What it takes to send is imported when the first container asks for it.
 */
import type { Logger } from 'pino';
import type { AwslogsTarget } from '../../core/model/log-target.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../loops/backoff.ts';
import { RuntimeFailure } from '../runtime.ts';
import type { Brake, Shipping } from './awslogs/shipping.ts';
import type { KeptLog } from './kept-log.ts';

export interface ShipperParts {
  /** In place of AWS' own. */
  readonly endpoint?: string | undefined;
  readonly brakeOf: (taskId: string, container: string) => Brake;
  /** What a stream is called where the task definition does not say. */
  readonly containerId: (taskId: string, container: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Shipped {
  readonly shipping: Shipping;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class LogShippers {
  readonly #parts: ShipperParts;
  /** By task and container. */
  readonly #tasks = new Map<string, Map<string, Shipped>>();

  constructor(parts: ShipperParts) {
    this.#parts = parts;
  }

  /** Makes the stream, so that whoever may not, or has no such group, learns it before the container runs. Throws RuntimeFailure. */
  async prepare(taskId: string, container: string, target: AwslogsTarget): Promise<void> {
    const { DestinationError } = await import('./awslogs/destination.ts');
    const destination = await this.#destination(taskId, container, target);
    try {
      await destination.create();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new RuntimeFailure(
        'CannotStartContainerError',
        `container ${container}: failed to initialize logging driver: failed to create CloudWatch log stream in ${target.group}: ${message}`,
        {
          retryable: error instanceof DestinationError && (error.kind === 'throttled' || error.kind === 'unreachable'),
          cause: error,
        },
      );
    }
  }

  async begin(
    { taskId, container, kept }: { readonly taskId: string; readonly container: string; readonly kept: KeptLog },
    target: AwslogsTarget,
  ): Promise<void> {
    const { log, clock, random, brakeOf } = this.#parts;
    const { Shipping } = await import('./awslogs/shipping.ts');
    const destination = await this.#destination(taskId, container, target);
    const brake = brakeOf(taskId, container);
    const shipping = new Shipping({ kept, container, target, destination, brake, clock, random, log });
    const stop = new AbortController();
    const ended = shipping.run(stop.signal).catch((error: unknown) => {
      log.error({ err: error, taskId, container }, 'a log is not sent on any more; the next agent takes it up');
    });
    const shipped = this.#tasks.get(taskId) ?? new Map<string, Shipped>();
    this.#tasks.set(taskId, shipped.set(container, { shipping, stop, ended }));
    void ended.then(() => {
      shipped.delete(container);
      if (shipped.size === 0 && this.#tasks.get(taskId) === shipped) this.#tasks.delete(taskId);
    });
  }

  grown(taskId: string): void {
    for (const { shipping } of this.#tasks.get(taskId)?.values() ?? []) shipping.grown();
  }

  /** The container is to end, or it has: it is not held up any more. */
  async letGo(taskId: string, container?: string): Promise<void> {
    for (const [name, { shipping }] of this.#tasks.get(taskId) ?? [])
      if (container === undefined || name === container) await shipping.letGo();
  }

  /** What was not sent is sent by the next agent, unless the log was removed. */
  async stop(taskId?: string): Promise<void> {
    const tasks = taskId === undefined ? [...this.#tasks.keys()] : [taskId];
    const shipped = tasks.flatMap((id) => [...(this.#tasks.get(id)?.values() ?? [])]);
    for (const { stop } of shipped) stop.abort();
    await Promise.all(shipped.map(({ ended }) => ended));
  }

  async #destination(taskId: string, container: string, target: AwslogsTarget) {
    const { Destination } = await import('./awslogs/destination.ts');
    const { endpoint, containerId } = this.#parts;
    return new Destination(target, target.stream ?? containerId(taskId, container), endpoint);
  }
}
