/** PlanTasks: where the tasks of a RunTask would go, and what would be bought for them. Writes nothing and asks for nothing. */
import type { Input, Output } from '../../core/api/operations.ts';
import { containerInstanceArn } from '../../core/arn.ts';
import type { CapacityProvider } from '../../core/model/capacity.ts';
import { checkRange, parameterFault } from '../../core/model/faults.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { runTaskWarnings } from '../../core/model/normalise-run-task.ts';
import { normaliseTaskDefinition } from '../../core/model/normalise-task-definition.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { applyReservation } from '../../core/placement/capacity.ts';
import { place } from '../../core/placement/place.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput, CapacityPlan } from '../../core/plan/capacity/types.ts';
import { capacityInput, providersOf, waitingFor } from '../capacity/facts.ts';
import type { ControlDeps } from '../deps.ts';
import { clusterProviders } from '../store/capacity-providers.ts';
import type { RunRequest } from '../store/requests.ts';
import { type WaitingTask, waitingTasks } from '../store/waiting-tasks.ts';
import { shareAt } from '../tasks/run-request.ts';
import { openSight, type Sight } from './capacity.ts';
import type { Handlers, OperationContext } from './context.ts';
import { newRequest, type Runnable, runnableRevision } from './new-request.ts';
import { activeCluster } from './references.ts';
import { cents, wouldBuy } from './views/capacity-report.ts';

type Answer = Output<'PlanTasks'>;
type Request = Pick<RunRequest, 'cluster' | 'count' | 'waits' | 'shares' | 'template' | 'nonce' | 'next'>;

export const planTasks: Handlers['PlanTasks'] = async (context, input) => {
  const { deps } = context;
  checkRange(parameterFault, 'count', input.count, [1, mostPlanned]);
  const known = await activeCluster(deps, input.cluster);
  const { runnable, warnings } = await subjectOf(context, input);
  const request = await newRequest(deps, known, runnable, input);
  const hosts = await deps.capacity.readStrongly(request.cluster);
  const { placed, left, drafts } = placeShares(deps, request, hosts);
  const rest = await planRest(deps, request, left, drafts);
  return { placed, ...rest, warnings: [...warnings, ...runTaskWarnings(input)] };
};

/** Within the time that a call has. */
const mostPlanned = 10_000;

async function subjectOf(
  { deps, principal }: OperationContext,
  { taskDefinition, definition }: Input<'PlanTasks'>,
): Promise<{ readonly runnable: Runnable; readonly warnings: readonly string[] }> {
  if ((taskDefinition === undefined) === (definition === undefined))
    throw parameterFault('taskDefinition', 'Exactly one of taskDefinition and definition must be given.');
  if (taskDefinition !== undefined) return { runnable: await runnableRevision(deps, taskDefinition), warnings: [] };
  if (definition === undefined) throw new Error('one of the two is there');
  const { definition: body, tags, warnings } = normaliseTaskDefinition(definition);
  // As it would be registered next; its number means nothing.
  const revision = { ...body, revision: 1, registeredAt: deps.clock.now(), registeredBy: principal.arn };
  return { runnable: { definition: revision, tags }, warnings };
}

/** Tasks alike that fit on no host that is there. */
interface Left {
  readonly needs: PlacementNeeds;
  readonly count: number;
  readonly why: string;
}

function placeShares({ realm, random }: ControlDeps, request: Request, hosts: readonly HostCapacity[]) {
  const drafts = [...hosts];
  const placed = new Map<string, Answer['placed'][number]>();
  const left: Left[] = [];
  for (let next = 0; next < request.count; ) {
    const { until, taskAt } = shareAt({ ...request, next });
    const { needs } = taskAt(next);
    const result = place({ needs, count: until - next }, drafts, random);
    for (const [index, { hostId, name }] of result.assignments.entries()) {
      const position = drafts.findIndex((host) => host.hostId === hostId);
      const draft = drafts[position];
      if (draft !== undefined) drafts[position] = applyReservation(draft, needs, `${plannedPrefix}${next + index}`);
      const tasks = (placed.get(hostId)?.tasks ?? 0) + 1;
      const arn = containerInstanceArn(realm, request.cluster, hostId);
      placed.set(hostId, { containerInstanceArn: arn, hostName: name, tasks, why: result.reasons[index] ?? '' });
    }
    if (result.unplaced > 0) left.push({ needs, count: result.unplaced, why: result.explanation?.sentence ?? '' });
    next = until;
  }
  return { placed: [...placed.values()], left, drafts };
}

const nothingBought: Pick<Answer, 'awaiting' | 'wouldBuy' | 'hourlyUsd'> = { awaiting: [], wouldBuy: [], hourlyUsd: 0 };

async function planRest(
  deps: ControlDeps,
  request: Request,
  left: readonly Left[],
  drafts: readonly HostCapacity[],
): Promise<Pick<Answer, 'awaiting' | 'wouldBuy' | 'unmet' | 'hourlyUsd'>> {
  const unmet = (because: string) => left.map(({ count, why }) => ({ tasks: count, why: `${because}: ${why}` }));
  if (left.length === 0) return { ...nothingBought, unmet: [] };
  if (!request.waits) return { ...nothingBought, unmet: unmet('refused, as a launch type is named') };
  const sight = await openSight(deps, request.cluster);
  if (sight === undefined) return { ...nothingBought, unmet: unmet('what could be bought is not known here') };
  const providers = providersOf(sight.facts, await clusterProviders(deps.table, request.cluster));
  if (providers.length === 0) return { ...nothingBought, unmet: unmet('no capacity provider buys for the cluster') };
  const planned = plannedTasks(request, left);
  const waiting = [...(await waitingTasks(deps.table, request.cluster)), ...planned];
  const plans: CapacityPlan[] = [];
  for (const provider of providers) {
    const own = waitingFor(provider, providers, waiting);
    if (own.some(({ taskId }) => taskId.startsWith(plannedPrefix)))
      plans.push(await planFor(sight, provider, own, drafts));
  }
  return sumUp(plans, new Set(planned.map(({ taskId }) => taskId)));
}

/** No id of a task begins so. */
const plannedPrefix = 'planned-';

function plannedTasks({ template }: Request, left: readonly Left[]): WaitingTask[] {
  const { createdAt, placementDeadline } = template;
  return left.flatMap(({ needs, count }, share) =>
    Array.from({ length: count }, (_, index) => ({
      taskId: `${plannedPrefix}${share}-${index}`,
      createdAt,
      placementDeadline,
      needs,
    })),
  );
}

/** On hosts as they are once those are placed that fit. */
async function planFor(
  { facts, market }: Sight,
  provider: CapacityProvider,
  waiting: readonly WaitingTask[],
  drafts: readonly HostCapacity[],
): Promise<CapacityPlan> {
  const input: CapacityInput = await capacityInput(facts, provider, { waiting, market });
  const draftOf = new Map(drafts.map((host) => [host.hostId, host]));
  const drafted = (host: HostCapacity): HostCapacity => draftOf.get(host.hostId) ?? host;
  return planCapacity({
    ...input,
    hosts: input.hosts.map((owned) => ({ ...owned, host: drafted(owned.host) })),
    otherHosts: input.otherHosts.map(drafted),
  });
}

/** What of the plans is about the tasks that were asked about. */
function sumUp(
  plans: readonly CapacityPlan[],
  planned: ReadonlySet<string>,
): Pick<Answer, 'awaiting' | 'wouldBuy' | 'unmet' | 'hourlyUsd'> {
  const counted = (ids: readonly string[]): number => ids.filter((id) => planned.has(id)).length;
  const awaiting = new Map<string, number>();
  for (const plan of plans)
    for (const [taskId, why] of plan.awaited) if (planned.has(taskId)) awaiting.set(why, (awaiting.get(why) ?? 0) + 1);
  const launches = plans
    .flatMap((plan) => plan.launches)
    .map((launch) => ({ launch, tasks: counted(launch.covers) }))
    .filter(({ tasks }) => tasks > 0);
  return {
    awaiting: [...awaiting].map(([why, tasks]) => ({ tasks, why })),
    wouldBuy: launches.map(({ launch, tasks }) => wouldBuy(launch, tasks)),
    unmet: plans
      .flatMap((plan) => plan.unmet)
      .map(({ taskIds, why }) => ({ tasks: counted(taskIds), why }))
      .filter(({ tasks }) => tasks > 0),
    hourlyUsd: cents(launches.reduce((sum, { launch }) => sum + launch.hourlyUsd, 0)),
  };
}
