/** The members of requests that take one of some words: EC2's model in the SDK has the words, but not which member takes them. */
import {
  DefaultTargetCapacityType,
  FleetExcessCapacityTerminationPolicy,
  FleetOnDemandAllocationStrategy,
  FleetType,
  HttpTokensState,
  InstanceInterruptionBehavior,
  InstanceMetadataEndpointState,
  LocationType,
  MarketType,
  ResourceType,
  ShutdownBehavior,
  SpotAllocationStrategy,
  SpotInstanceInterruptionBehavior,
  SpotInstanceType,
  TargetCapacityUnitType,
  Tenancy,
  VolumeType,
} from '@aws-sdk/client-ec2';

const words: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'CreateFleetRequest.Type': FleetType,
  'CreateFleetRequest.ExcessCapacityTerminationPolicy': FleetExcessCapacityTerminationPolicy,
  'DescribeInstanceTypeOfferingsRequest.LocationType': LocationType,
  'EbsBlockDevice.VolumeType': VolumeType,
  'InstanceMarketOptionsRequest.MarketType': MarketType,
  'InstanceMetadataOptionsRequest.HttpEndpoint': InstanceMetadataEndpointState,
  'InstanceMetadataOptionsRequest.HttpTokens': HttpTokensState,
  'LaunchTemplateEbsBlockDeviceRequest.VolumeType': VolumeType,
  'LaunchTemplateInstanceMarketOptionsRequest.MarketType': MarketType,
  'LaunchTemplateInstanceMetadataOptionsRequest.HttpEndpoint': InstanceMetadataEndpointState,
  'LaunchTemplateInstanceMetadataOptionsRequest.HttpTokens': HttpTokensState,
  'LaunchTemplatePlacementRequest.Tenancy': Tenancy,
  'LaunchTemplateSpotMarketOptionsRequest.InstanceInterruptionBehavior': InstanceInterruptionBehavior,
  'LaunchTemplateSpotMarketOptionsRequest.SpotInstanceType': SpotInstanceType,
  'LaunchTemplateTagSpecificationRequest.ResourceType': ResourceType,
  'OnDemandOptionsRequest.AllocationStrategy': FleetOnDemandAllocationStrategy,
  'Placement.Tenancy': Tenancy,
  'RequestLaunchTemplateData.InstanceInitiatedShutdownBehavior': ShutdownBehavior,
  'RunInstancesRequest.InstanceInitiatedShutdownBehavior': ShutdownBehavior,
  'SpotMarketOptions.InstanceInterruptionBehavior': InstanceInterruptionBehavior,
  'SpotMarketOptions.SpotInstanceType': SpotInstanceType,
  'SpotOptionsRequest.AllocationStrategy': SpotAllocationStrategy,
  'SpotOptionsRequest.InstanceInterruptionBehavior': SpotInstanceInterruptionBehavior,
  'TagSpecification.ResourceType': ResourceType,
  'TargetCapacitySpecificationRequest.DefaultTargetCapacityType': DefaultTargetCapacityType,
  'TargetCapacitySpecificationRequest.TargetCapacityUnitType': TargetCapacityUnitType,
};

/** Undefined: any text will do. */
export function wordsOf(structure: string | undefined, member: string): readonly string[] | undefined {
  const allowed = words[`${structure}.${member}`];
  return allowed && Object.values(allowed);
}
