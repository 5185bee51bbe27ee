/** A stack with a cluster of a control plane that another stack has deployed, so that its template is the cluster's alone. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { IGantryControlPlane } from '../../../lib/control-plane.ts';
import { GantryCluster, type GantryClusterProps } from '../../../lib/gantry-cluster.ts';
import { GantryControlPlane } from '../../../lib/gantry-control-plane.ts';
import { testApp } from './synth.ts';

export const importedControlPlane = (stack: Stack): IGantryControlPlane =>
  GantryControlPlane.fromControlPlaneAttributes(stack, 'ControlPlane', {
    apiId: 'api123',
    webSocketApiId: 'ws123',
    endpoint: 'https://api123.execute-api.eu-central-1.amazonaws.com',
    resourcesFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:resources',
    tableName: 'gantry',
    eventBusName: 'gantry-events',
    metricsServiceName: 'TheControlPlane',
  });

export interface MadeCluster {
  readonly stack: Stack;
  readonly controlPlane: IGantryControlPlane;
  readonly cluster: GantryCluster;
  readonly template: Template;
}

export function makeCluster(
  props: Omit<GantryClusterProps, 'controlPlane'> = {},
  more: (cluster: GantryCluster, stack: Stack) => void = () => {},
): MadeCluster {
  using made = testApp();
  const stack = new Stack(made.app, 'Test');
  const controlPlane = importedControlPlane(stack);
  const cluster = new GantryCluster(stack, 'Cluster', { controlPlane, clusterName: 'blue', ...props });
  more(cluster, stack);
  return { stack, controlPlane, cluster, template: Template.fromStack(stack) };
}

/** The `Properties` of all resources of a type, by logical id. */
export const propertiesOf = (template: Template, type: string): Record<string, Record<string, unknown>> =>
  Object.fromEntries(Object.entries(template.findResources(type)).map(([id, { Properties }]) => [id, Properties]));
