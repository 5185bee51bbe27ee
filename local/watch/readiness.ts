/** What must hold on one machine before it is sent requests, besides a store that answers. */
import type { Control } from '../../control/create.ts';
import type { ReadinessChecks } from '../../control/http/probes.ts';
import { loops } from '../../control/loops/index.ts';

/** A loop that has not begun for so many of its periods does not run any more. */
const latePeriods = 3;
const graceMs = 30_000;

export function readinessChecks(control: Pick<Control, 'deps' | 'loops'>): ReadinessChecks {
  const startedAt = control.deps.clock.now();
  return { loops: () => lateLoops(control, startedAt) };
}

function lateLoops({ deps, loops: runner }: Pick<Control, 'deps' | 'loops'>, startedAt: number): string | undefined {
  const now = deps.clock.now();
  const late = loops.filter((loop) => {
    const begun = runner.status().filter((status) => status.loop === loop.name);
    // A loop over clusters has nothing to run for where there is none.
    if (begun.length === 0 && loop.scope === 'cluster') return false;
    const last = Math.max(startedAt, ...begun.map((status) => status.startedAt));
    return now - last > latePeriods * loop.periodSeconds(deps) * 1000 + graceMs;
  });
  return late.length === 0 ? undefined : `${late.map(({ name }) => name).join(', ')}: not run for long`;
}
