/**
 * The custom resources of CloudFormation stacks. Whatever happens, CloudFormation gets an answer, and with a failure the sentence that
 * says what to do; a deletion of what was never made succeeds, so that a half-failed deployment can be rolled back and made again.
 */
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import type { Principal } from '../../control/operations/context.ts';
import { GantryError } from '../../core/errors.ts';
import { everyRight } from '../../core/model/rights.ts';
import type { Context } from '../log.ts';
import { capacityProviderKind } from './capacity-provider.ts';
import { clusterKind } from './cluster.ts';
import { guardKind } from './guard.ts';
import { hostsKind } from './hosts.ts';
import type { Made, ResourceContext, ResourceKind } from './kind.ts';
import type { ResourceResponse, Respond } from './respond.ts';
import { taskDefinitionKind } from './task-definition.ts';

const requestSchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.string(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  ResourceType: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.unknown(),
  OldResourceProperties: z.unknown().optional(),
});
type Request = z.infer<typeof requestSchema>;

/** Left for the answer, which may need several tries. */
const reserveMs = 30_000;
/** CloudFormation takes 4 KB in all. */
const longestReason = 1500;

export function createResourcesHandler(deps: ControlDeps, respond: Respond) {
  return async (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<void> => {
    const request = requestSchema.parse(event);
    const deadline = deps.clock.now() + context.getRemainingTimeInMillis() - reserveMs;
    const { ResourceType, RequestType, LogicalResourceId } = request;
    const about = { resourceType: ResourceType, requestType: RequestType, logicalId: LogicalResourceId };
    try {
      const { id, attributes = {} } = await inTime(deps, carryOut(deps, request, deadline), deadline);
      await respond(
        request.ResponseURL,
        responseOf(request, { Status: 'SUCCESS', PhysicalResourceId: id, Data: attributes }),
      );
      deps.log.info({ ...about, id }, 'a resource of a stack is as it should be');
    } catch (error) {
      deps.log.error({ err: error, ...about }, 'a resource of a stack failed');
      const PhysicalResourceId = request.PhysicalResourceId ?? neverMade(request);
      await respond(
        request.ResponseURL,
        responseOf(request, { Status: 'FAILED', Reason: reasonOf(error), PhysicalResourceId }),
      );
    }
  };
}

type Outcome = Omit<ResourceResponse, 'StackId' | 'RequestId' | 'LogicalResourceId'>;

const responseOf = ({ StackId, RequestId, LogicalResourceId }: Request, outcome: Outcome): ResourceResponse => ({
  ...outcome,
  StackId,
  RequestId,
  LogicalResourceId,
});

/** No resource of any kind has such an id. */
const neverMade = ({ RequestId }: Request): string => `never-made/${RequestId}`;

function reasonOf(error: unknown): string {
  if (!(error instanceof GantryError))
    return 'Something went wrong in the control plane; the log of its function `resources` says what.';
  const sentence = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return `${error.code}: ${sentence}`.slice(0, longestReason);
}

/** What hangs must not keep CloudFormation waiting: deploying again goes on from where it was. */
async function inTime<T>({ clock, sleep }: ControlDeps, work: Promise<T>, deadline: number): Promise<T> {
  const over = new AbortController();
  const timeout = sleep(deadline - clock.now() + reserveMs / 2, over.signal).then((): never => {
    throw new GantryError('ServiceUnavailableException', 'It took longer than the function may run.', {
      hint: 'Deploy again.',
    });
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timeout.catch(() => {}); // The work was quicker.
    over.abort();
  }
}

async function carryOut(deps: ControlDeps, request: Request, deadline: number): Promise<Made> {
  switch (request.ResourceType) {
    case 'Custom::GantryCluster':
      return carryOutAs(clusterKind, deps, request, deadline);
    case 'Custom::GantryHosts':
      return carryOutAs(hostsKind, deps, request, deadline);
    case 'Custom::GantryCapacityProvider':
      return carryOutAs(capacityProviderKind, deps, request, deadline);
    case 'Custom::GantryTaskDefinition':
      return carryOutAs(taskDefinitionKind, deps, request, deadline);
    case 'Custom::GantryGuard':
      return carryOutAs(guardKind, deps, request, deadline);
    default:
      throw new GantryError('InvalidParameterException', `Gantry has no resource of type ${request.ResourceType}.`);
  }
}

async function carryOutAs<Properties>(
  kind: ResourceKind<Properties>,
  deps: ControlDeps,
  request: Request,
  deadline: number,
): Promise<Made> {
  const { PhysicalResourceId: id, StackId: stackId, LogicalResourceId: logicalId, RequestId: requestId } = request;
  const principal: Principal = { arn: stackId, ...everyRight };
  const context: ResourceContext = { deps, principal, requestId, stackId, logicalId, deadline };
  const properties = kind.properties.safeParse(request.ResourceProperties);
  if (request.RequestType === 'Delete') {
    // Without an id, or with properties that none was ever made with, there is nothing.
    if (id !== undefined && properties.success) await kind.delete(context, properties.data, id);
    return { id: id ?? neverMade(request) };
  }
  if (!properties.success) throw new GantryError('InvalidParameterException', z.prettifyError(properties.error));
  if (request.RequestType === 'Create' || id === undefined) return kind.create(context, properties.data);
  return kind.update(context, properties.data, kind.properties.safeParse(request.OldResourceProperties).data, id);
}
