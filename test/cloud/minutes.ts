/** The minutes of a stack's schedules, made shorter, so that a test need not wait for them. */
import type { AwsCloud } from './aws-cloud.ts';

/** Not again before the last call of the same has ended: what looks again goes on for most of a real minute. */
export function shortMinutes({ world }: AwsCloud, minuteMs: number): Disposable {
  const busy = new Set<string>();
  const timer = setInterval(() => {
    for (const { logicalId, fire } of world.timers.values()) {
      if (busy.has(logicalId)) continue;
      busy.add(logicalId);
      void fire().finally(() => busy.delete(logicalId));
    }
  }, minuteMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
