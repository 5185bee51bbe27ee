/** Answers the control plane's question what this host's running containers have used until now. Reads only when it is asked. */
import type { AgentFrame } from '../core/host-protocol.ts';
import type { HostContainerStats } from '../core/model/container-stats.ts';
import type { Runtime } from './runtime.ts';

/** So that a frame stays below what sockets let through; also how many are read at once. */
const containersPerFrame = 50;

/** Always ends with an `end` frame. Rejects where the socket has gone. */
export async function answerStats(
  runtime: Pick<Runtime, 'inventory' | 'containerStats'>,
  stream: string,
  send: (frame: AgentFrame) => Promise<void>,
): Promise<void> {
  let failure: string | undefined;
  try {
    const running = (await runtime.inventory()).flatMap(({ taskId, containers }) =>
      containers.filter(({ status }) => status.state === 'running').map(({ name }) => ({ taskId, container: name })),
    );
    for (let from = 0; from < running.length; from += containersPerFrame) {
      const read = await Promise.all(
        running.slice(from, from + containersPerFrame).map(async (each): Promise<HostContainerStats[]> => {
          const stats = await runtime.containerStats(each.taskId, each.container);
          return stats === undefined ? [] : [{ ...each, stats }]; // It has ended since.
        }),
      );
      await send({ kind: 'stats', stream, containers: read.flat() });
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  await send({ kind: 'end', stream, ...(failure === undefined ? {} : { error: failure }) });
}
