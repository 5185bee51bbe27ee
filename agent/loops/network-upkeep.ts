/** Has the rules of published ports looked at, on each heartbeat, and says so where somebody else had taken them away. */
import type { Logger } from 'pino';
import type { Runtime } from '../runtime.ts';

/** Answers what is to be called on each heartbeat; it waits for nothing, and looks once at a time. */
export function createNetworkUpkeep(runtime: Runtime, log: Logger): () => void {
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    try {
      if (await runtime.repairNetwork())
        log.warn('somebody took away firewall rules of this host; they were made anew');
    } catch (error) {
      log.error({ err: error }, 'the firewall rules of this host cannot be made anew now');
    } finally {
      isLooking = false;
    }
  };
  return () => {
    if (!isLooking) void look();
  };
}
