/** What a run of chaos does, decided by its seed alone: which tasks, in which order, and who is killed when. */
import { seededRandom } from '../../core/random.ts';

export const kinds = ['ends', 'stopped', 'publishes', 'waits', 'writes'] as const;
export type Kind = (typeof kinds)[number];

export interface Part {
  /** What its container calls itself. */
  readonly name: string;
  readonly kind: Kind;
  readonly exitCode: number;
  /** How long it takes, as far as it decides that itself. */
  readonly seconds: number;
}

export function castOf(seed: number, count: number): Part[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => ({
    name: `run-${index}`,
    kind: oneOf(kinds, random()),
    exitCode: Math.floor(random() * 100),
    seconds: Math.round(2 + random() * 18) / 10,
  }));
}

/** `shim`: that of a container which runs at the moment. */
export type Prey = 'shim' | 'containerd' | 'control-plane' | `agent-${string}`;

export interface Shot {
  readonly afterMs: number;
  readonly prey: Prey;
  /** Which one where there are several, from 0 to 1. */
  readonly which: number;
}

/** Without end. All are shot at before the next round, so that whoever starts them again need not think them broken. */
export function* shotsOf(seed: number, prey: readonly Prey[], pauseMs: number): Generator<Shot, never> {
  const random = seededRandom(seed + 1);
  while (true) {
    const round = prey.map((one) => ({ one, order: random() })).sort((a, b) => a.order - b.order);
    for (const { one } of round) yield { prey: one, afterMs: pauseMs * (0.2 + 1.6 * random()), which: random() };
  }
}

/** `at` from 0 to 1. */
export function oneOf<T>(list: readonly T[], at: number): T {
  const found = list[Math.min(list.length - 1, Math.floor(at * list.length))];
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}
