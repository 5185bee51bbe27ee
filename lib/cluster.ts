/**
 * What a cluster is to other constructs, whether this app makes it or imports it: its grants, its rules and its metrics, each narrowed
 * to it. Never makes a resource of the cluster itself (gantry-cluster.ts does).
 */
import { type IResource, Resource } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { clusterArn } from '../core/arn.ts';
import { namePattern } from '../core/model/cluster.ts';
import type { IGantryControlPlane } from './control-plane.ts';
import { checkText } from './prop-checks.ts';

/** A cluster of a Gantry control plane. */
export interface IGantryCluster extends IResource, ec2.IConnectable {
  readonly clusterName: string;
  /** In ECS' form, as the API and events have it. */
  readonly clusterArn: string;
  readonly controlPlane: IGantryControlPlane;
  /** The role of the cluster's hosts, which pulls images. */
  readonly hostRole: iam.IRole;

  /** Allows running and stopping tasks in this cluster. */
  grantRunTask(grantee: iam.IGrantable): iam.Grant;
  /** Allows registering and deregistering task definitions. They belong to the control plane, so this is not narrowed to the cluster. */
  grantRegisterTaskDefinitions(grantee: iam.IGrantable): iam.Grant;
  /** Allows reading what there is in this cluster, and what belongs to no cluster. */
  grantRead(grantee: iam.IGrantable): iam.Grant;

  /** A rule that matches each change of the status of one of this cluster's tasks. */
  onTaskStateChange(id: string, options?: events.OnEventOptions): events.Rule;
  /** A rule that matches each change of one of this cluster's hosts. */
  onHostStateChange(id: string, options?: events.OnEventOptions): events.Rule;

  /** A metric that the control plane counts for this cluster; `IGantryControlPlane.metric` lists them. */
  metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Tasks that wait for a host; the most of each period. */
  metricTasksPending(options?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Milliseconds from the creation of a task until a host was chosen for it; the 99th percentile. */
  metricPlacementLatency(options?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Hosts that fell silent. */
  metricHostSilent(options?: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/** What must be known of a cluster that another app has made. */
export interface GantryClusterAttributes {
  readonly controlPlane: IGantryControlPlane;
  readonly clusterName: string;
  /** ARN of the role of its hosts. */
  readonly hostRoleArn: string;
  /**
   * Security groups of its hosts.
   * @default - none: connections of the cluster cannot be changed
   */
  readonly securityGroups?: readonly ec2.ISecurityGroup[];
}

/** Grants, rules and metrics, which follow from the names alone. */
export abstract class ClusterBase extends Resource implements IGantryCluster {
  abstract readonly clusterName: string;
  abstract readonly controlPlane: IGantryControlPlane;
  abstract readonly hostRole: iam.IRole;
  abstract readonly connections: ec2.Connections;

  get clusterArn(): string {
    const { region, account } = this.controlPlane.env;
    return clusterArn({ region, accountId: account }, this.clusterName);
  }

  grantRunTask(grantee: iam.IGrantable): iam.Grant {
    return this.controlPlane.grantActions(grantee, ['run'], this.clusterName);
  }

  grantRegisterTaskDefinitions(grantee: iam.IGrantable): iam.Grant {
    return this.controlPlane.grantActions(grantee, ['register']);
  }

  grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.controlPlane.grantActions(grantee, ['read'], this.clusterName);
  }

  onTaskStateChange(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.controlPlane.onTaskStateChange(id, this.narrowed(options));
  }

  onHostStateChange(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.controlPlane.onContainerInstanceStateChange(id, this.narrowed(options));
  }

  metric(metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    const dimensionsMap = { ...options.dimensionsMap, cluster: this.clusterName };
    return this.controlPlane.metric(metricName, { ...options, dimensionsMap });
  }

  metricTasksPending(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('TasksPending', { statistic: 'Maximum', ...options });
  }

  metricPlacementLatency(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('PlacementLatencyMs', { statistic: 'p99', ...options });
  }

  metricHostSilent(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('HostSilent', { statistic: 'Sum', ...options });
  }

  /** The rule belongs to the cluster, so that two clusters may have rules of one id. */
  private narrowed({ eventPattern, ...options }: events.OnEventOptions): events.OnEventOptions {
    const detail = { ...eventPattern?.detail, clusterArn: [this.clusterArn] };
    return { crossStackScope: this, ...options, eventPattern: { ...eventPattern, detail } };
  }
}

export class ImportedCluster extends ClusterBase {
  readonly clusterName: string;
  readonly controlPlane: IGantryControlPlane;
  readonly hostRole: iam.IRole;
  readonly connections: ec2.Connections;

  constructor(scope: Construct, id: string, attributes: GantryClusterAttributes) {
    super(scope, id);
    const { clusterName, controlPlane, hostRoleArn, securityGroups = [] } = attributes;
    checkClusterName(this, clusterName);
    this.clusterName = clusterName;
    this.controlPlane = controlPlane;
    this.hostRole = iam.Role.fromRoleArn(this, 'HostRole', hostRoleArn);
    this.connections = new ec2.Connections({ securityGroups: [...securityGroups] });
  }
}

export const checkClusterName = (scope: Construct, clusterName: string): void =>
  checkText(scope, 'clusterName', clusterName, namePattern, '1 to 255 letters, digits, hyphens and underscores');
