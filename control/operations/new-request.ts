/**
 * A RunTask request as a record: the revision that it runs, what its tasks need, and under a strategy which of them are whose. Reads;
 * writes nothing.
 */
import type { Input } from '../../core/api/operations.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { sharesOf } from '../../core/model/capacity-strategy.ts';
import type { Cluster, StrategyItem, Tag } from '../../core/model/cluster.ts';
import { waitsForCapacity } from '../../core/model/cluster-settings.ts';
import { parameterFault } from '../../core/model/faults.ts';
import { normaliseRunTask } from '../../core/model/normalise-run-task.ts';
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import { makeTask } from '../../core/task/create.ts';
import type { ControlDeps } from '../deps.ts';
import type { RunRequest } from '../store/requests.ts';
import { mostListed } from '../tasks/run-request.ts';
import { activeCluster, revisionMeant } from './references.ts';
import { readRevision } from './task-definitions.ts';

export interface Runnable {
  readonly definition: TaskDefinition;
  /** Of the revision. */
  readonly tags: readonly Tag[];
}

/** Throws ClientException where there is no such revision, or it is not ACTIVE. */
export async function runnableRevision(deps: ControlDeps, reference: string): Promise<Runnable> {
  const meant = await revisionMeant(deps, reference);
  const found = meant === undefined ? undefined : await readRevision(deps, meant);
  if (found === undefined) {
    throw new GantryError('ClientException', 'TaskDefinition not found.', {
      field: 'taskDefinition',
      hint: `Nothing is registered as ${reference}, or the family has no ACTIVE revision.`,
    });
  }
  if (found.status.status !== 'ACTIVE') {
    throw new GantryError('ClientException', 'TaskDefinition is inactive', {
      field: 'taskDefinition',
      hint: 'Register a new revision, or name an ACTIVE one.',
    });
  }
  return { definition: found.definition, tags: found.status.tags };
}

type Wish = Omit<Input<'RunTask'>, 'taskDefinition'>;

/** `known` may be a second old. */
export async function newRequest(
  deps: ControlDeps,
  known: Cluster,
  { definition, tags }: Runnable,
  given: Wish,
): Promise<Omit<RunRequest, 'token' | 'requestHash'>> {
  const input = await withNames(deps, given);
  const cluster = await freshEnough(deps, known, input);
  const wishes = normaliseRunTask(input, { cluster, definition, definitionTags: tags });
  const now = deps.clock.now();
  const timeoutSeconds = wishes.placementTimeoutSeconds ?? deps.settings.placementTimeoutSeconds;
  const placementDeadline = now + timeoutSeconds * 1000;
  const nonce = deps.newId();
  const waits = wishes.launchType === undefined || waitsForCapacity(cluster);
  if (!waits && wishes.count > mostListed) throw tooManyAtOnce(wishes.count);
  return {
    cluster: cluster.name,
    nonce,
    count: wishes.count,
    next: 0,
    waits,
    ...(wishes.strategy.length > 0 && { shares: sharesUntil(wishes.strategy, wishes.count, nonce) }),
    // Each task gets an id and a capacity provider of its own in its place.
    template: {
      ...makeTask({ ...wishes, id: '', cluster: cluster.name, definition, now, placementDeadline }),
      ...compact({ traceparent: deps.tracing?.traceparent() }),
    },
  };
}

/** Most requests name no capacity providers. */
async function withNames(deps: ControlDeps, given: Wish): Promise<Wish> {
  const field = 'capacityProviderStrategy';
  const strategy = given[field];
  if (strategy === undefined) return given;
  const { strategyMeant } = await import('./capacity-references.ts');
  return { ...given, [field]: strategyMeant(deps, field, strategy) };
}

/** What is refused is in the answer, and an answer lists no more. */
const tooManyAtOnce = (count: number): GantryError =>
  parameterFault(
    'count',
    `count may be at most ${mostListed} where tasks may not wait; it is ${count}.`,
    'Leave launchType out, or give the cluster the setting gantry:waitForCapacity.',
  );

/** What is in memory may be a second old: nobody is refused a provider that the cluster has just been given. */
async function freshEnough(
  deps: ControlDeps,
  known: Cluster,
  { capacityProviderStrategy = [] }: Pick<Input<'RunTask'>, 'capacityProviderStrategy'>,
): Promise<Cluster> {
  const isKnown = ({ capacityProvider }: { capacityProvider: string }): boolean =>
    known.capacityProviders.includes(capacityProvider);
  if (capacityProviderStrategy.every(isKnown)) return known;
  deps.recent.clusterChanged(known.name);
  return activeCluster(deps, known.name);
}

/** The offset follows from the nonce, so that a request has one distribution however often it is worked out. */
function sharesUntil(
  strategy: readonly StrategyItem[],
  count: number,
  nonce: string,
): NonNullable<RunRequest['shares']> {
  const offset = Number.parseInt(nonce.slice(0, 8), 16) / 2 ** 32;
  let until = 0;
  return sharesOf(strategy, count, offset).map((share) => {
    until += share.count;
    return { capacityProvider: share.capacityProvider, until };
  });
}
