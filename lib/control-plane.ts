/**
 * What a control plane is to other constructs, whether this app makes it or imports it: its addresses, its grants, its rules and its
 * metrics. Never makes a resource of the control plane itself (gantry-control-plane.ts does).
 */
import { CustomResource, type CustomResourceProps, Duration, type IResource, Resource, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct, IDependable } from 'constructs';
import type { Action } from '../core/api/operation.ts';
import { apiPaths } from './api-paths.ts';
import { PropError } from './prop-checks.ts';

/** A Gantry control plane. */
export interface IGantryControlPlane extends IResource {
  /** URL of the REST API and of the hosts' routes, without a slash at its end. */
  readonly endpoint: string;
  /** URL for clients of the ECS wire protocol (`AWS_ENDPOINT_URL_ECS`), without a slash at its end. */
  readonly wireEndpoint: string;
  /** Id of the HTTP API. */
  readonly apiId: string;
  /** Id of the WebSocket API over which hosts are woken. */
  readonly webSocketApiId: string;
  /** Where events of tasks and container instances are put. */
  readonly eventBus: events.IEventBus;
  /** Everything that the control plane knows. */
  readonly table: dynamodb.ITable;
  /** Its ARN is the service token of the custom resources of clusters, hosts, capacity providers and task definitions. */
  readonly resourcesFunction: lambda.IFunction;

  /**
   * Allows calls of the REST API (signed for `execute-api`): every route that needs one of the actions. Routes that name a cluster
   * are limited to `clusterName` if it is given; routes that name none are not.
   */
  grantActions(grantee: iam.IGrantable, actions: readonly GantryAction[], clusterName?: string): iam.Grant;
  /** Allows everything that only reads. */
  grantRead(grantee: iam.IGrantable): iam.Grant;
  /** Allows every call of the REST API. */
  grantAdminister(grantee: iam.IGrantable): iam.Grant;

  /** A rule that matches each change of a task's status. */
  onTaskStateChange(id: string, options?: events.OnEventOptions): events.Rule;
  /** A rule that matches each change of a container instance (a host). */
  onContainerInstanceStateChange(id: string, options?: events.OnEventOptions): events.Rule;

  /**
   * Makes a resource that this control plane's function handles. It is deleted before anything of the control plane is, so that its
   * deletion (draining hosts, say) finds a control plane that works.
   */
  newCustomResource(scope: Construct, id: string, props: GantryResourceProps): CustomResource;

  /**
   * A metric that this control plane counts itself, with `{cluster}` (and `reason` or `loop`) in the options' `dimensionsMap`:
   * `TasksPending`, `PlacementLatencyMs`, `PlacementRejected`, `PlacementTimedOut`, `CommitConflicts`, `HostSilent`, `HostDrift`,
   * `HostsOrdered`, `HostsEnded`, `HostsNotJoined`, `LaunchFaults`, `OrphansEnded`, `LoopFailed`.
   */
  metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** A metric of this control plane's API: `Count`, `4xx`, `5xx`, `Latency`, `IntegrationLatency` or `DataProcessed`. */
  metricApi(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/** What a principal may be allowed to do; each operation of the API needs one of these. */
export type GantryAction = Action;

/** A resource that a control plane's function handles. */
export interface GantryResourceProps extends Pick<CustomResourceProps, 'properties' | 'removalPolicy'> {
  readonly resourceType:
    | 'Custom::GantryCluster'
    | 'Custom::GantryHosts'
    | 'Custom::GantryCapacityProvider'
    | 'Custom::GantryTaskDefinition'
    | 'Custom::GantryGuard';
}

/** What must be known of a control plane that another app has deployed: the outputs of its stack. */
export interface GantryControlPlaneAttributes {
  /** Id of the HTTP API. */
  readonly apiId: string;
  /** Id of the WebSocket API. */
  readonly webSocketApiId: string;
  /** URL of the REST API, without a slash at its end. */
  readonly endpoint: string;
  /**
   * URL for clients of the ECS wire protocol, without a slash at its end.
   * @default - that of the REST API
   */
  readonly wireEndpoint?: string;
  /**
   * Value of the dimension `service` of its metrics.
   * @default - its metrics cannot be referred to
   */
  readonly metricsServiceName?: string;
  /**
   * Namespace of its metrics.
   * @default 'Gantry'
   */
  readonly metricsNamespace?: string;
  /** ARN of the function that handles custom resources. */
  readonly resourcesFunctionArn: string;
  /** Name of the table. */
  readonly tableName: string;
  /**
   * Name of the event bus.
   * @default - the account's default bus
   */
  readonly eventBusName?: string;
}

export const defaultMetricsNamespace = 'Gantry';

/** A function can take fifteen minutes; one that says nothing for longer will never answer, and CloudFormation waits an hour by default. */
const resourceTimeout = Duration.minutes(16);

/** Grants, rules and metrics, which follow from the addresses alone. */
export abstract class ControlPlaneBase extends Resource implements IGantryControlPlane {
  abstract readonly endpoint: string;
  abstract readonly wireEndpoint: string;
  abstract readonly apiId: string;
  abstract readonly webSocketApiId: string;
  abstract readonly eventBus: events.IEventBus;
  abstract readonly table: dynamodb.ITable;
  abstract readonly resourcesFunction: lambda.IFunction;
  protected abstract readonly metricsServiceName: string | undefined;
  protected abstract readonly metricsNamespace: string;

  /** What must outlive every resource that the control plane's function handles. */
  protected outlivesResources: readonly IDependable[] = [];

  newCustomResource(scope: Construct, id: string, { resourceType, ...props }: GantryResourceProps): CustomResource {
    const resource = new CustomResource(scope, id, {
      ...props,
      resourceType,
      serviceToken: this.resourcesFunction.functionArn,
      serviceTimeout: resourceTimeout,
    });
    resource.node.addDependency(...this.outlivesResources);
    return resource;
  }

  grantActions(grantee: iam.IGrantable, actions: readonly GantryAction[], clusterName?: string): iam.Grant {
    return this.grantPaths(grantee, apiPaths(actions, clusterName));
  }

  grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.grantActions(grantee, ['read']);
  }

  grantAdminister(grantee: iam.IGrantable): iam.Grant {
    // Not `*/v1/*`, in which the first star would take in `POST/hosts`.
    return this.grantPaths(grantee, ['GET/v1/*', 'POST/v1/*', 'PUT/v1/*', 'DELETE/v1/*']);
  }

  onTaskStateChange(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, 'ECS Task State Change', options);
  }

  onContainerInstanceStateChange(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, 'ECS Container Instance State Change', options);
  }

  metric(metricName: string, { dimensionsMap, ...options }: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    if (this.metricsServiceName === undefined)
      throw new PropError(
        this,
        'metricsServiceName',
        undefined,
        'given to import a control plane whose metrics are used',
      );
    return new cloudwatch.Metric({
      namespace: this.metricsNamespace,
      metricName,
      dimensionsMap: { service: this.metricsServiceName, ...dimensionsMap },
      ...options,
    }).attachTo(this);
  }

  metricApi(metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiId: this.apiId },
      ...options,
    }).attachTo(this);
  }

  /** Each path is `METHOD/path`, as IAM writes the routes of an HTTP API. */
  private grantPaths(grantee: iam.IGrantable, paths: readonly string[]): iam.Grant {
    const stage = { service: 'execute-api', resource: this.apiId } as const;
    return iam.Grant.addToPrincipal({
      grantee,
      actions: ['execute-api:Invoke'],
      resourceArns: paths.map((path) => Stack.of(this).formatArn({ ...stage, resourceName: `$default/${path}` })),
    });
  }

  private onEvent(id: string, detailType: string, options: events.OnEventOptions): events.Rule {
    const { target, eventPattern, ...ruleOptions } = options;
    const rule = new events.Rule(options.crossStackScope ?? this, id, { ...ruleOptions, eventBus: this.eventBus });
    rule.addEventPattern({ ...eventPattern, source: ['gantry'], detailType: [detailType] });
    rule.addTarget(target);
    return rule;
  }
}
