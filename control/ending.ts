/** How what lasts (long polls, streams) ends where its process does: at once, so that its client asks whoever comes next. */
import { GantryError } from '../core/errors.ts';
import type { ControlDeps } from './deps.ts';

type Deps = Pick<ControlDeps, 'ending'>;

/** Fires with the signal, and when the process is about to end. */
export const untilEnding = (signal: AbortSignal, { ending }: Deps): AbortSignal =>
  ending === undefined ? signal : AbortSignal.any([signal, ending]);

/** At the end of a stream that has not said everything: throws ServiceUnavailableException where the process is about to end. */
export function refuseWhileEnding({ ending }: Deps): void {
  if (ending?.aborted === true)
    throw new GantryError('ServiceUnavailableException', 'The control plane is ending.', {
      hint: 'Ask again: it is back in a moment, where it was only started anew.',
    });
}
