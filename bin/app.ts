/**
 * The CDK app that cdk.json names: a whole working set, with no code to write. Builds what it carries first. Synthesizes without an
 * AWS account and without Docker.
 *
 *   npx cdk deploy -c gantry:maxHosts=20 -c gantry:market=spot-first -c gantry:alarmEmail=ops@example.com
 *
 * Context, each `gantry:<key>`; what is not given is as GantryStackProps and GantryControlPlaneProps say:
 *   stackName                 name of the stack (Gantry)
 *   clusterName               the cluster that hosts join (default)
 *   maxHosts                  at most how many hosts are bought for tasks that wait (10); 0 buys none
 *   maxHourlyUsd              what they may cost together, in dollars an hour (5)
 *   instanceTypes             which may be bought, for example m7i.*,c7i.* (all of the architecture: what is cheapest for the tasks)
 *   market                    on-demand, spot or spot-first (on-demand)
 *   hosts                     how many hosts are there always (0)
 *   instanceType              of those (t3.small); its architecture, x86-64 or arm64, is that of all hosts
 *   alarmEmail                who is told of alarms (nobody)
 *   wireFront                 cloudfront, http-api or function-url (cloudfront)
 *   removalPolicy             of the table and the key that seals access keys: retain or destroy (retain)
 *   restoredTableStream       ARN of the stream of a restored table to go on with (a table of its own); docs/operating.md, "Restore"
 *   heartbeatSeconds          how often a host sends a heartbeat (60)
 *   auditDays                 for how long the audit log keeps calls (90); 0: there is none
 *   hostsReservedConcurrency  invocations kept free for hosts (50); 0 in an account whose quota is 10
 *   accessKeyEncryption, events, fleet, alarms, dashboard, metrics, tracing, accessLogs
 *                             switches, true or false: each costs something (docs/operating.md)
 */
import { App, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { compact } from '../core/compact.ts';
import type { GantryRestoredTable } from '../lib/control-plane/table.ts';
import type { GantryControlPlaneProps } from '../lib/control-plane-props.ts';
import { GantryStack } from '../lib/gantry-stack.ts';
import { WireFront } from '../lib/wire-front.ts';
import { type AppOptions, appOptions } from './app-options.ts';

const app = new App();
const { stackName = 'Gantry', instanceType, controlPlane, hosts } = parts(read());
// Elsewhere built: a test, or a build of one's own.
if (app.node.tryGetContext('gantry:dist') === undefined) await import('./build.ts');
new GantryStack(app, stackName, {
  ...hosts,
  ...(instanceType !== undefined && { instanceType: new InstanceType(instanceType) }),
  controlPlane: controlPlaneProps(controlPlane),
});
app.synth();

function read(): AppOptions {
  try {
    return appOptions(app.node.getAllContext());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/** Whose matter each option is. */
function parts({
  stackName,
  instanceType,
  clusterName,
  alarmEmail,
  hosts,
  maxHosts,
  maxHourlyUsd,
  instanceTypes,
  market,
  ...controlPlane
}: AppOptions) {
  const same = compact({ clusterName, alarmEmail, hosts, maxHosts, maxHourlyUsd, instanceTypes, market });
  return { stackName, instanceType, controlPlane, hosts: same };
}

function controlPlaneProps({
  wireFront,
  removalPolicy,
  restoredTableStream,
  heartbeatSeconds,
  auditDays,
  ...same
}: ReturnType<typeof parts>['controlPlane']): GantryControlPlaneProps {
  const fronts = {
    cloudfront: () => WireFront.cloudFront(),
    'http-api': () => WireFront.httpApi(),
    'function-url': () => WireFront.functionUrl(),
  };
  return {
    ...same,
    ...(wireFront !== undefined && { wireFront: fronts[wireFront]() }),
    ...(removalPolicy === 'destroy' && { removalPolicy: RemovalPolicy.DESTROY }),
    ...(restoredTableStream !== undefined && { restoredTable: tableOf(restoredTableStream) }),
    ...(heartbeatSeconds !== undefined && { heartbeat: Duration.seconds(heartbeatSeconds) }),
    ...(auditDays !== undefined && { auditRetention: Duration.days(auditDays) }),
  };
}

/** `arn:…:table/NAME/stream/LABEL`, as the options have checked it. */
function tableOf(tableStreamArn: string): GantryRestoredTable {
  return { tableName: tableStreamArn.split('/')[1] ?? '', tableStreamArn };
}
