/** What placement is given and what it answers. Pure data: hosts are a snapshot, randomness is seeded by the caller. */
import type { HostCapacity } from '../model/host.ts';
import type { PlacementNeeds } from '../model/task.ts';
import type { Explanation } from './explanation.ts';

export interface PlacementRequest {
  readonly needs: PlacementNeeds;
  /** How many alike tasks. */
  readonly count: number;
}

export interface PlacementResult {
  /** One entry a task placed: the host that takes it. A host may appear several times. */
  readonly assignments: readonly HostCapacity[];
  /** For each assignment, why that host, in words: `tight fit, 0.75 vCPU and 384 MiB left` (task.placementReason). */
  readonly reasons: readonly string[];
  /** Tasks that fit nowhere; they are alike, so they share one explanation. */
  readonly unplaced: number;
  readonly explanation: Explanation | undefined;
}
