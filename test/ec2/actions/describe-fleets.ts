/** DescribeFleets: of an instant fleet what CreateFleet has answered, and only where it is asked for by its id, as EC2 has it. */
import {
  DescribeFleets$,
  type DescribeFleetsRequest,
  type DescribeFleetsResult,
  type FleetData,
} from '@aws-sdk/client-ec2';
import { Ec2Error, notBuilt } from '../errors.ts';
import type { Fleet, World } from '../world.ts';
import { type Operation, operation, refuseDryRun } from './operation.ts';

export const describeFleets = (world: World): Operation =>
  operation(DescribeFleets$, (request: DescribeFleetsRequest): DescribeFleetsResult => {
    refuseDryRun(request);
    if (request.Filters !== undefined) throw notBuilt('Filter');
    return { Fleets: (request.FleetIds ?? []).map((id) => fleetView(fleetNamed(world, id))) };
  });

function fleetNamed({ fleets }: World, id: string): Fleet {
  if (!/^fleet-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new Ec2Error('InvalidFleetId.Malformed', `Invalid id: "${id}" (expecting "fleet-...")`);
  }
  const fleet = fleets.get(id);
  if (fleet === undefined) throw new Ec2Error('InvalidFleetId.NotFound', `The fleet ID '${id}' does not exist`);
  return fleet;
}

const fleetView = ({ answer, request, createdAt }: Fleet): FleetData => ({
  FleetId: answer.FleetId,
  FleetState: 'active',
  ActivityStatus: 'fulfilled',
  Type: 'instant',
  CreateTime: new Date(createdAt),
  ClientToken: request.ClientToken,
  TargetCapacitySpecification: request.TargetCapacitySpecification,
  Tags: (request.TagSpecifications ?? []).flatMap(({ ResourceType, Tags = [] }) =>
    ResourceType === 'fleet' ? Tags : [],
  ),
  Instances: answer.Instances,
  Errors: answer.Errors,
});
