/**
 * Tells who listens that a container has exited. containerd's events are the quick way and can be missed (they end with containerd,
 * and begin a moment after they are asked for); whenever that may have happened, everybody is told to look.
 */
import { fromBinary } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { backoffMs } from '../loops/backoff.ts';
import type { Containerd } from './client.ts';
import { TaskExitSchema } from './gen/task-events_pb.ts';

export type ExitListener = (runtimeId: string | undefined) => void;

/** How long a subscription may take to begin: containerd does not say when it has. */
const subscriptionMs = 250;
const resubscribe = { firstMs: 50, longestMs: 2000 };

export interface ExitWatchOptions {
  readonly containerd: Containerd;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Calls `tell` with the id of each container whose first process exits, with undefined when any may have, until disposed of. */
export function watchExits(options: ExitWatchOptions, tell: ExitListener): Disposable {
  const stop = new AbortController();
  void subscribeForever(options, tell, stop.signal);
  return { [Symbol.dispose]: () => stop.abort() };
}

async function subscribeForever(options: ExitWatchOptions, tell: ExitListener, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  for (let failures = 0; !signal.aborted; failures++) {
    const ended = new AbortController();
    void clock.sleep(subscriptionMs, AbortSignal.any([signal, ended.signal])).then(() => {
      if (!signal.aborted && !ended.signal.aborted) tell(undefined);
    });
    try {
      for await (const runtimeId of exitsOf(options, signal)) {
        failures = 0;
        tell(runtimeId);
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, 'events of containerd were interrupted');
    } finally {
      ended.abort();
    }
    await clock.sleep(backoffMs(failures, resubscribe, Math.random), signal);
  }
}

async function* exitsOf({ containerd, namespace }: ExitWatchOptions, signal: AbortSignal): AsyncGenerator<string> {
  const filters = [`topic=="/tasks/exit",namespace==${JSON.stringify(namespace)}`];
  for await (const { event } of containerd.events.subscribe({ filters }, { signal })) {
    if (event === undefined) continue;
    const exit = fromBinary(TaskExitSchema, event.value);
    // A process that was executed in a container has an id of its own.
    if (exit.id === exit.containerId) yield exit.containerId;
  }
}
