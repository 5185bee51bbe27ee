/** What is asked about instances that are there, and what ends and tags them. */
import {
  CreateTags$,
  type CreateTagsRequest,
  DescribeInstances$,
  type DescribeInstancesRequest,
  type DescribeInstancesResult,
  TerminateInstances$,
  type TerminateInstancesRequest,
  type TerminateInstancesResult,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../errors.ts';
import { type Facets, filtered } from '../filters.ts';
import type { Ec2Instance } from '../instances.ts';
import { paged } from '../pages.ts';
import { vpcId } from '../subnets.ts';
import { requireFew, tagsOf } from '../tags.ts';
import type { World } from '../world.ts';
import { instanceView, stateView } from './instance-view.ts';
import { type Operation, operation, refuseDryRun } from './operation.ts';

export const instanceOperations = (world: World): Operation[] => [
  operation(DescribeInstances$, (request: DescribeInstancesRequest) => describe(world, request)),
  operation(TerminateInstances$, (request: TerminateInstancesRequest) => terminate(world, request)),
  operation(CreateTags$, (request: CreateTagsRequest) => createTags(world, request)),
];

function describe(world: World, request: DescribeInstancesRequest): DescribeInstancesResult {
  const { InstanceIds: ids = [], Filters, MaxResults } = request;
  refuseDryRun(request);
  if (ids.length > 0 && MaxResults !== undefined) {
    throw new Ec2Error(
      'InvalidParameterCombination',
      'The parameter instancesSet cannot be used with the parameter maxResults',
    );
  }
  const known = ids.length > 0 ? named(world, ids) : world.instances.visible;
  const matching = filtered(known, Filters, facets, ({ tags }) => tags);
  const rules = {
    list: 'instances',
    bounds: [5, 1000] as const,
    pageSize: ids.length > 0 ? undefined : world.pageSize,
  };
  const { page, NextToken } = paged(matching, ({ sequence }) => `${sequence}`.padStart(12, '0'), request, rules);
  const reservations = Map.groupBy(page, ({ reservationId }) => reservationId);
  return {
    Reservations: [...reservations].map(([ReservationId, instances]) => ({
      ReservationId,
      OwnerId: world.account,
      Groups: [],
      Instances: instances.map(instanceView),
    })),
    NextToken,
  };
}

const facets: Facets<Ec2Instance> = {
  architecture: ({ type }) => type.architecture,
  'availability-zone': ({ zone }) => zone,
  'client-token': ({ clientToken }) => clientToken,
  'image-id': ({ data }) => data.ImageId,
  'instance-id': ({ instanceId }) => instanceId,
  'instance-lifecycle': ({ lifecycle }) => (lifecycle === 'spot' ? 'spot' : undefined),
  'instance-state-code': ({ state }) => `${stateView(state).Code}`,
  'instance-state-name': ({ state }) => state,
  'instance-type': ({ type }) => type.name,
  'key-name': ({ data }) => data.KeyName,
  'private-ip-address': ({ privateIp }) => privateIp,
  'reservation-id': ({ reservationId }) => reservationId,
  'subnet-id': ({ subnetId }) => subnetId,
  'vpc-id': () => vpcId,
};

function named({ instances }: World, ids: readonly string[]): Ec2Instance[] {
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (malformed !== undefined) throw new Ec2Error('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`);
  return instances.named(ids);
}

/** All or none of them, and as often as one likes. */
function terminate(world: World, request: TerminateInstancesRequest): TerminateInstancesResult {
  const instances = named(world, request.InstanceIds ?? []);
  refuseDryRun(request);
  return {
    TerminatingInstances: instances.map((instance) => {
      const PreviousState = stateView(instance.state);
      world.instances.terminate(instance);
      return { InstanceId: instance.instanceId, PreviousState, CurrentState: stateView(instance.state) };
    }),
  };
}

function createTags(world: World, request: CreateTagsRequest): void {
  const tags = tagsOf(request.Tags);
  const holders = (request.Resources ?? []).map((id) => tagHolder(world, id));
  refuseDryRun(request);
  for (const holder of holders) requireFew({ ...holder, ...tags });
  for (const holder of holders) Object.assign(holder, tags);
}

function tagHolder(world: World, id: string): Record<string, string> {
  if (id.startsWith('lt-')) return world.templates.get({ LaunchTemplateId: id }).tags;
  if (id.startsWith('i-')) {
    const [instance] = named(world, [id]);
    if (instance !== undefined) return instance.tags;
  }
  throw new Ec2Error('InvalidID', `The ID '${id}' is not valid`);
}
