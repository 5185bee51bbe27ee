/** A whole working set as one stack: what `cdk deploy` in this repository makes. Its outputs are what clients and other apps need. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { GantryControlPlaneProps } from './control-plane-props.ts';
import { GantryCapacityProvider, type GantryMarket } from './gantry-capacity-provider.ts';
import { GantryCluster } from './gantry-cluster.ts';
import { GantryControlPlane } from './gantry-control-plane.ts';
import { GantryHosts } from './gantry-hosts.ts';
import { checkWholeNumber } from './prop-checks.ts';

/** Properties of a stack with a control plane, a cluster and hosts. */
export interface GantryStackProps extends StackProps {
  /**
   * @default - that of each property of GantryControlPlaneProps
   */
  readonly controlPlane?: GantryControlPlaneProps;
  /**
   * @default 'default'
   */
  readonly clusterName?: string;
  /**
   * At most how many hosts are bought for the tasks that wait, and end again when nothing needs them; 0 buys none.
   * @default 10
   */
  readonly maxHosts?: number;
  /**
   * What they may cost together, in US dollars an hour.
   * @default 5
   */
  readonly maxHourlyUsd?: number;
  /**
   * Instance types that may be bought; `*` stands for any text.
   * @default - all of the architecture: what is cheapest for the tasks
   */
  readonly instanceTypes?: readonly string[];
  /**
   * Whether they are bought on demand or as spot.
   * @default 'on-demand'
   */
  readonly market?: GantryMarket;
  /**
   * How many hosts are there always, whatever runs.
   * @default 0
   */
  readonly hosts?: number;
  /**
   * Of those. Its architecture, x86-64 or arm64, is that of all hosts.
   * @default - t3.small
   */
  readonly instanceType?: ec2.InstanceType;
  /**
   * Who is told of alarms, once they have confirmed it.
   * @default - nobody
   */
  readonly alarmEmail?: string;
}

/** A control plane with one cluster, whose hosts follow its tasks. */
export class GantryStack extends Stack {
  readonly controlPlane: GantryControlPlane;
  readonly cluster: GantryCluster;

  constructor(scope: Construct, id: string, props: GantryStackProps = {}) {
    const {
      controlPlane,
      clusterName = 'default',
      hosts = 0,
      instanceType,
      alarmEmail,
      maxHosts = 10,
      maxHourlyUsd = 5,
      instanceTypes,
      market,
      ...stackProps
    } = props;
    super(scope, id, {
      description: 'Gantry: containers on EC2 hosts, placed by a serverless control plane.',
      ...stackProps,
    });
    checkWholeNumber(this, 'hosts', hosts, { min: 0, max: 100, unit: 'hosts' });
    this.controlPlane = new GantryControlPlane(this, 'ControlPlane', {
      ...(alarmEmail !== undefined && { alarmTopic: this.topicFor(alarmEmail) }),
      ...controlPlane,
    });
    const type = instanceType ?? ec2.InstanceType.of(ec2.InstanceClass.T3, ec2.InstanceSize.SMALL);
    // Where nothing is bought, a provider would only keep tasks waiting.
    const buys = maxHosts > 0 && controlPlane?.fleet !== false;
    this.cluster = new GantryCluster(this, 'Cluster', {
      controlPlane: this.controlPlane,
      clusterName,
      ...(buys && { waitForCapacity: true }),
      architectures: [type.architecture],
    });
    if (hosts > 0) new GantryHosts(this, 'Hosts', { cluster: this.cluster, count: hosts, instanceType: type });
    if (buys)
      new GantryCapacityProvider(this, 'Pool', {
        cluster: this.cluster,
        maxHosts,
        maxHourlyUsd,
        ...(instanceTypes !== undefined && { instanceTypes }),
        ...(market !== undefined && { market }),
      });
    this.addOutputs();
  }

  private topicFor(email: string): sns.Topic {
    const topic = new sns.Topic(this, 'Alarms', { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(email));
    return topic;
  }

  /** By fixed names: scripts read them, and `fromControlPlaneAttributes` takes them. */
  private addOutputs(): void {
    const { controlPlane, cluster } = this;
    const outputs = {
      Endpoint: [controlPlane.endpoint, 'REST API, signed for execute-api.'],
      WireEndpoint: [controlPlane.wireEndpoint, 'AWS_ENDPOINT_URL_ECS of clients that speak the ECS protocol.'],
      ApiId: [controlPlane.apiId, 'Of the HTTP API.'],
      WebSocketApiId: [controlPlane.webSocketApiId, 'Of the API over which hosts are woken.'],
      TableName: [controlPlane.table.tableName, 'Everything that the control plane knows.'],
      EventBusName: [controlPlane.eventBus.eventBusName, 'Where changes of tasks and hosts are put.'],
      ResourcesFunctionArn: [controlPlane.resourcesFunction.functionArn, 'Service token of custom resources.'],
      MetricsServiceName: [controlPlane.metricsServiceName, 'Dimension `service` of its metrics.'],
      ClusterName: [cluster.clusterName, 'Where the hosts are.'],
    } as const;
    for (const [name, [value, description]] of Object.entries(outputs))
      new CfnOutput(this, name, { value, description });
  }
}
