/** The table of all operations, and the names of those that ECS has and Gantry does not build yet. */
import type { z } from 'zod';
import { accessOperations } from './access.ts';
import { accountSettingOperations } from './account-settings.ts';
import { attributeOperations } from './attributes.ts';
import { capacityOperations } from './capacity.ts';
import { capacityProviderOperations } from './capacity-providers.ts';
import { clusterOperations } from './clusters.ts';
import { hostOperations } from './hosts.ts';
import { tagOperations } from './tags.ts';
import { taskDefinitionOperations } from './task-definitions.ts';
import { taskProtectionOperations } from './task-protection.ts';
import { taskOperations } from './tasks.ts';

export const operations = {
  ...taskDefinitionOperations,
  ...taskOperations,
  ...taskProtectionOperations,
  ...clusterOperations,
  ...hostOperations,
  ...capacityProviderOperations,
  ...capacityOperations,
  ...attributeOperations,
  ...tagOperations,
  ...accountSettingOperations,
  ...accessOperations,
} as const;

export type OperationName = keyof typeof operations;

/** What a handler gets. */
export type Input<Name extends OperationName> = z.output<(typeof operations)[Name]['input']>;
/** What a handler answers. */
export type Output<Name extends OperationName> = z.input<(typeof operations)[Name]['output']>;

/** The operation of this name on the ECS wire, if Gantry has it. */
export const wireOperationNamed = (name: string): OperationName | undefined =>
  isOperationName(name) && operations[name].wire ? name : undefined;

const isOperationName = (name: string): name is OperationName => Object.hasOwn(operations, name);

/** ECS' other operations (model of @aws-sdk/client-ecs): answered by UnsupportedFeatureException, not as unknown ones. */
export const operationsNotBuilt: ReadonlySet<string> = new Set([
  'AssociateGatewayWithCluster',
  'ContinueServiceDeployment',
  'CreateDaemon',
  'CreateExpressGatewayService',
  'CreateGateway',
  'CreateService',
  'CreateTaskSet',
  'DeleteDaemon',
  'DeleteDaemonTaskDefinition',
  'DeleteExpressGatewayService',
  'DeleteGateway',
  'DeleteService',
  'DeleteTaskSet',
  'DescribeDaemon',
  'DescribeDaemonDeployments',
  'DescribeDaemonRevisions',
  'DescribeDaemonTaskDefinition',
  'DescribeExpressGatewayService',
  'DescribeGateway',
  'DescribeGatewayResources',
  'DescribeGatewayRoute',
  'DescribeServiceDeployments',
  'DescribeServiceRevisions',
  'DescribeServices',
  'DescribeTaskSets',
  'DisassociateGatewayFromCluster',
  'DiscoverPollEndpoint',
  'ExecuteCommand',
  'ListDaemonDeployments',
  'ListDaemonTaskDefinitions',
  'ListDaemons',
  'ListGatewayClusterAssociations',
  'ListGatewayRoutes',
  'ListGateways',
  'ListServiceDeployments',
  'ListServices',
  'ListServicesByNamespace',
  'RegisterContainerInstance',
  'RegisterDaemonTaskDefinition',
  'StopServiceDeployment',
  'SubmitAttachmentStateChanges',
  'SubmitContainerStateChange',
  'SubmitTaskStateChange',
  'UpdateDaemon',
  'UpdateExpressGatewayService',
  'UpdateGateway',
  'UpdateService',
  'UpdateServicePrimaryTaskSet',
  'UpdateTaskSet',
]);
