/** The construct library, `gantry/cdk`: everything that it offers, and nothing else. */

export type { GantryClusterAttributes, IGantryCluster } from './cluster.ts';
export type { GantryRestoredTable } from './control-plane/table.ts';
export type {
  GantryAction,
  GantryControlPlaneAttributes,
  GantryResourceProps,
  IGantryControlPlane,
} from './control-plane.ts';
export type { GantryControlPlaneProps, GantryThrottle } from './control-plane-props.ts';
export {
  GantryCapacityProvider,
  type GantryCapacityProviderProps,
  type GantryConsolidation,
  type GantryMarket,
  type GantryRange,
} from './gantry-capacity-provider.ts';
export { GantryCluster, type GantryClusterProps } from './gantry-cluster.ts';
export { GantryControlPlane } from './gantry-control-plane.ts';
export { GantryHosts, type GantryHostsProps } from './gantry-hosts.ts';
export { GantryStack, type GantryStackProps } from './gantry-stack.ts';
export { GantryTaskDefinition } from './gantry-task-definition.ts';
export type { GantryHostTemplate } from './host/launch-template.ts';
export { type BoundImage, GantryImage, type ImageUse } from './image.ts';
export {
  type GantryAwsLogsProps,
  type GantryJsonFileProps,
  type GantryLogConfiguration,
  GantryLogging,
} from './logging.ts';
export type {
  GantryContainer,
  GantryContainerDependency,
  GantryPortMapping,
  GantryTaskDefinitionProps,
  GantryUlimit,
} from './task-definition/props.ts';
export { type CloudFrontWireFrontProps, WireFront, type WireFrontOptions } from './wire-front.ts';
