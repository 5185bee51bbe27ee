/**
 * Wakes hosts through the WebSocket API: posts a frame to the connection of each, all at once, within half a second, because the request
 * that it belongs to waits for it. What fails is made good by the host's next heartbeat.
 */
import type { ControlDeps, Wake } from '../control/deps.ts';
import { connectionClosed } from '../control/hosts/connections.ts';
import { openConnections } from '../control/store/host-connections.ts';
import { wakeFrame } from '../core/wake-frame.ts';
import type { PostFrame } from './post-frame.ts';

const patienceMs = 500;

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'random' | 'sleep' | 'log'>;

export function gatewayWake(deps: Deps, post: PostFrame): Wake {
  async function wake(connectionId: string, signal: AbortSignal): Promise<void> {
    try {
      if ((await post(connectionId, wakeFrame, signal)) === 'gone') await connectionClosed(deps, connectionId);
    } catch (error) {
      deps.log.warn({ err: error, connectionId }, 'a host could not be woken; it fetches on its timer');
    }
  }

  return {
    async hosts(hostIds) {
      const connections = await openConnections(deps.table, [...hostIds], deps.clock.now());
      const signal = AbortSignal.timeout(patienceMs);
      await Promise.all(connections.map(({ connectionId }) => wake(connectionId, signal)));
    },
  };
}

/** For functions that give hosts nothing to look at. */
export const noWake: Wake = { hosts: async () => {} };
