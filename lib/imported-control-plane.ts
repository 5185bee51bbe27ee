/** A control plane that another app has deployed, by the outputs of its stack. */
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { ControlPlaneBase, defaultMetricsNamespace, type GantryControlPlaneAttributes } from './control-plane.ts';

export class ImportedControlPlane extends ControlPlaneBase {
  readonly endpoint: string;
  readonly wireEndpoint: string;
  readonly apiId: string;
  readonly webSocketApiId: string;
  readonly eventBus: events.IEventBus;
  readonly table: dynamodb.ITable;
  readonly resourcesFunction: lambda.IFunction;
  protected readonly metricsServiceName: string | undefined;
  protected readonly metricsNamespace: string;

  constructor(scope: Construct, id: string, attributes: GantryControlPlaneAttributes) {
    super(scope, id);
    this.endpoint = attributes.endpoint;
    this.wireEndpoint = attributes.wireEndpoint ?? attributes.endpoint;
    this.apiId = attributes.apiId;
    this.webSocketApiId = attributes.webSocketApiId;
    this.eventBus = events.EventBus.fromEventBusName(this, 'EventBus', attributes.eventBusName ?? 'default');
    this.table = dynamodb.Table.fromTableName(this, 'Table', attributes.tableName);
    this.resourcesFunction = lambda.Function.fromFunctionArn(this, 'Resources', attributes.resourcesFunctionArn);
    this.metricsServiceName = attributes.metricsServiceName;
    this.metricsNamespace = attributes.metricsNamespace ?? defaultMetricsNamespace;
  }
}
