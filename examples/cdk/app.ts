/**
 * An app of one's own on gantry/cdk: a cluster whose hosts follow its tasks, a task definition that is deployed with it, a role that may run it, and an
 * e-mail where a task fails.
 *
 *   npm install gantry aws-cdk-lib constructs aws-cdk
 *   npx cdk deploy --app 'node app.ts'
 */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import {
  GantryCapacityProvider,
  GantryCluster,
  GantryControlPlane,
  GantryImage,
  GantryTaskDefinition,
} from 'gantry/cdk';

const app = new App();
const stack = new Stack(app, 'Reports');

const operators = new Topic(stack, 'Operators', { enforceSSL: true });
operators.addSubscription(new EmailSubscription('ops@example.com'));

const controlPlane = new GantryControlPlane(stack, 'ControlPlane', { alarmTopic: operators });

const cluster = new GantryCluster(stack, 'Cluster', { controlPlane, clusterName: 'reports' });
new GantryCapacityProvider(stack, 'Pool', { cluster, maxHosts: 5, maxHourlyUsd: 1, idle: Duration.minutes(10) });

const report = new GantryTaskDefinition(stack, 'Report', {
  controlPlane,
  family: 'report',
  containers: [
    {
      name: 'report',
      image: GantryImage.fromRegistry('public.ecr.aws/docker/library/busybox:1.37'),
      command: ['sh', '-c', 'echo "$GREETING"; sleep 5'],
      environment: { GREETING: 'hello' },
      cpu: 256,
      memory: 64,
    },
  ],
});

// Who takes this role may run the task, and read what becomes of it: nothing else.
const runner = new Role(stack, 'Runner', { assumedBy: new AccountRootPrincipal() });
report.grantRun(runner, cluster);
cluster.grantRead(runner);

cluster.onTaskStateChange('Failed', {
  target: new SnsTopic(operators),
  eventPattern: { detail: { lastStatus: ['STOPPED'], stopCode: ['TaskFailedToStart', 'InfrastructureHealth'] } },
});

new CfnOutput(stack, 'Endpoint', { value: controlPlane.endpoint });
new CfnOutput(stack, 'TaskDefinition', { value: report.taskDefinitionArn });
new CfnOutput(stack, 'RunnerRole', { value: runner.roleArn });
