/**
 * Placement: which hosts take `count` alike tasks. Pure: hosts are a snapshot, randomness is the caller's, nothing is reserved (the
 * caller commits, on the condition that each host still has room). Places as many as fit and explains the rest.
 */
import type { HostCapacity } from '../model/host.ts';
import type { Random } from '../random.ts';
import { Draft } from './draft.ts';
import { explainRefusal } from './explain.ts';
import { chooseByStrategies } from './strategies.ts';
import { chooseTightest } from './tightest.ts';
import type { PlacementRequest, PlacementResult } from './types.ts';

export function place(request: PlacementRequest, hosts: readonly HostCapacity[], random: Random): PlacementResult {
  const draft = new Draft(hosts, request.needs);
  const chooser =
    request.needs.strategies.length === 0 ? chooseTightest(draft, random) : chooseByStrategies(draft, random);
  const assignments: HostCapacity[] = [];
  const reasons: string[] = [];
  while (assignments.length < request.count) {
    const choice = chooser.choose();
    if (choice === undefined) break;
    assignments.push(draft.original(choice.index));
    reasons.push(choice.why);
  }
  const unplaced = request.count - assignments.length;
  const explanation = unplaced === 0 ? undefined : explainRefusal(draft.all(), request.needs);
  return { assignments, reasons, unplaced, explanation };
}
