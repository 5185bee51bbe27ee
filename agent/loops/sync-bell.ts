/**
 * Why the desired set is looked at: somebody says that it may have changed, or a heartbeat was told which one is current. Rings as a bell
 * does; what was said meanwhile is taken together.
 */
import { type Bell, createBell } from './bell.ts';

export interface SyncBell extends Bell {
  /** A heartbeat was answered: this is the ETag of the set as it is now. */
  heard(etag: string): void;
  /** What was said since the last call: `heard` is all that was, or undefined where somebody rang, so that only a fetch can tell. */
  take(): { readonly heard: string | undefined };
}

export function createSyncBell(): SyncBell {
  const bell = createBell();
  let isRung = false;
  let lastHeard: string | undefined;
  return {
    ring() {
      isRung = true;
      bell.ring();
    },
    heard(etag) {
      lastHeard = etag;
      bell.ring();
    },
    rung: (signal) => bell.rung(signal),
    take() {
      const heard = isRung ? undefined : lastHeard;
      isRung = false;
      lastHeard = undefined;
      return { heard };
    },
  };
}
