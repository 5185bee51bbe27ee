/** How long each phase of a quickstart took. Times of the task are its own, written down by host and control plane. */
import type { TaskView } from '../../core/api/shapes.ts';

export interface Phase {
  readonly phase: string;
  readonly milliseconds: number;
}

/** Each mark ends the phase that began at the one before. */
export class Stopwatch {
  readonly phases: Phase[] = [];
  readonly #now: () => number;
  readonly #startedAt: number;
  #markedAt: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAt = now();
    this.#markedAt = this.#startedAt;
  }

  mark(phase: string): void {
    this.markAs([{ phase, milliseconds: this.#now() - this.#markedAt }]);
  }

  /** For what was measured elsewhere. */
  markAs(phases: readonly Phase[]): void {
    this.phases.push(...phases);
    this.#markedAt = this.#now();
  }

  total(): number {
    return this.#now() - this.#startedAt;
  }
}

/** From the request to the end of the task; a phase that it never reached is left out. */
export function taskPhases(task: TaskView): Phase[] {
  const { createdAt, pullStartedAt, pullStoppedAt, startedAt, executionStoppedAt, stoppedAt } = task;
  const placedAt = task.story.find(({ phase }) => phase === 'placed')?.at;
  return [
    ...between('task placed', createdAt, placedAt),
    ...between('taken by the host', placedAt, pullStartedAt),
    ...between('image pulled', pullStartedAt, pullStoppedAt),
    ...between('container started', pullStoppedAt, startedAt),
    ...between('ran', startedAt, executionStoppedAt),
    ...between('taken apart', executionStoppedAt, stoppedAt),
  ];
}

const between = (phase: string, from: Date | undefined, to: Date | undefined): Phase[] =>
  from === undefined || to === undefined ? [] : [{ phase, milliseconds: to.getTime() - from.getTime() }];
