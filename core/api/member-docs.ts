/**
 * What the members of inputs say, by name, or by `Operation.member` where one operation means something else by it. Beside the tables of
 * fields, which have those of task definitions and of RunTask. A test holds that no member is left out.
 */
import type { OperationName } from './operations.ts';

const pageSize = 'The most entries to answer, 1 to 100 (default: 100).';
const rfc3339 = 'RFC 3339';

const byName: Readonly<Record<string, string>> = {
  cluster: 'Name or ARN of the cluster; `default` where absent.',
  clusters: 'Names or ARNs; `default` where absent.',
  clusterName: 'Letters, digits, `-` and `_`; `default` where absent.',
  task: 'Id or ARN of the task.',
  tasks: 'Ids or ARNs of tasks.',
  taskDefinition: '`family` (its latest ACTIVE revision), `family:revision` or ARN.',
  taskDefinitions: '`family:revision` or ARNs, at most 10.',
  containerInstance: 'Id, ARN or name of the host.',
  containerInstances: 'Ids, ARNs or names of hosts.',
  host: 'Id, ARN or name of the host.',
  capacityProvider: 'Name or ARN of the capacity provider.',
  capacityProviders: 'Names or ARNs of capacity providers.',
  webhook: 'Id of the webhook.',
  accessKeyId: 'Id of the key.',
  include: 'What to answer besides.',
  limit: pageSize,
  maxResults: pageSize,
  nextToken: 'The `nextToken` of the page before, with the same other members.',
  tags: 'Keys and values, at most 50.',
  tagKeys: 'Keys of the tags to take away.',
  tag: '`key`, or `key=value`: only what has the tag. Of several, all must be there.',
  resourceArn: 'ARN of a task, task definition, cluster, container instance or capacity provider.',
  family: 'Only tasks of this family.',
  familyPrefix: 'Only families that begin so.',
  startedBy: 'Only tasks that were started by this name.',
  group: 'Only tasks of this group.',
  serviceName: 'There are no services: whatever is named is not found.',
  daemonName: 'There are no daemons: whatever is named is not found.',
  launchType: 'Only tasks of this launch type.',
  filter: 'An expression of the cluster query language (docs/placement.md): only hosts of which it is true.',
  settings:
    'Names and values. `gantry:waitForCapacity`: `enabled` lets tasks wait that name a launch type. ' +
    '`gantry:hostLostAfterSeconds` (600): when tasks of a silent host are given up; 0, or 60 to 604800.',
  configuration: 'Recorded, as ECS has it.',
  serviceConnectDefaults: 'Nothing but an empty namespace: there are none.',
  defaultCapacityProviderStrategy: 'Of tasks that name neither a strategy nor a launch type.',
  autoScalingGroupProvider:
    "ECS' first kind: what its group and scaling say is translated where it can be (docs/capacity.md).",
  managedInstancesProvider: "ECS' second kind: which instances, by requirements or names (docs/capacity.md).",
  gantry: 'Offers by name, limits and policy; wins over what the two kinds say (docs/capacity.md).',
  attributes: 'Name, value and the host (`targetId`), at most 10.',
  attributeName: 'Only attributes of this name.',
  attributeValue: 'Only those that have this value.',
  targetType: '`container-instance`.',
  principalArn: 'ARN of the principal that it is for; the caller where absent. Asked of others: `administer`.',
  effectiveSettings: 'What holds, with what is set for everybody, instead of what is set for the principal alone.',
  kind: 'Only these kinds of events; all where absent.',
  since: `${rfc3339}: only what came then or later.`,
  until: `${rfc3339}: only what came before.`,
  operation: 'Only calls of these operations.',
  principal: 'ARN of a principal, the name at its end, or the id of an access key.',
  outcome: 'Only calls that ended so.',
  url: 'Where to: `https://…`; where the control plane sends to private addresses, `http://…` too.',
  description: 'For people, at most 255 characters.',
  maxEvents: 'The most events that one request carries, 1 to 100 (default: 100).',
  reason: 'Shown as `stoppedReason`; `Task stopped by user` where absent.',
  force: 'Whatever it runs: its tasks are stopped.',
  userName: 'Names the principal: `arn:aws:iam::ACCOUNT:user/USERNAME`.',
  actions: 'What it may do, of `read`, `run`, `register` and `administer`.',
  taskRoles: 'ARNs, or names, of the IAM roles that its tasks may take, with `*` for any text; none where absent.',
  hostAccess: 'How its tasks may reach their host; not at all where absent.',
  maxWaitingTasks: 'So many of its tasks may wait in each cluster; any number where absent.',
  reusable: 'Admits any number of hosts until its time is over; otherwise one.',
  lifetimeSeconds: 'An hour where absent, at most a year.',
  instanceIds: 'Ids of instances of EC2, at most 100.',
  protectionEnabled: 'Whether they are protected from now on.',
  expiresInMinutes: '1 to 2880; 120 where absent.',
  definition: 'In place of `taskDefinition`: one that is not registered.',
  placementTimeoutSeconds: 'How long it may wait for a host (default: 600).',
};

const byOperation: Readonly<Partial<Record<`${OperationName}.${string}`, string>>> = {
  'ListTaskDefinitions.status': '`ACTIVE` (default), `INACTIVE` or `DELETE_IN_PROGRESS`.',
  'ListTaskDefinitions.sort': '`ASC` (default) or `DESC`: the newest revision of each family first.',
  'ListTaskDefinitionFamilies.status': '`ACTIVE`, `INACTIVE` or `ALL` (default).',
  'ListContainerInstances.status': '`ACTIVE`, `DRAINING` and so on; all but INACTIVE where absent.',
  'UpdateContainerInstancesState.status': '`DRAINING` keeps placement away, `ACTIVE` lets it come back.',
  'ListTasks.desiredStatus': '`RUNNING` (default) or `STOPPED`.',
  'ListTasks.containerInstance': 'Only tasks on this host.',
  'GetTasks.host': 'Only tasks on this host, by id, ARN or name.',
  'GetTasks.desiredStatus': 'Both where absent: what runs first, then what stopped, newest first.',
  'GetTask.wait': 'Answers once the task runs, has stopped, or differs from `version`.',
  'GetTask.version': 'With `wait=changed`: the version of the task that the caller knows.',
  'GetTask.timeout': 'Seconds, at most 25 (gateways end requests at 30): ask again to go on waiting.',
  'StopTask.force': 'Kill at once. Clients that cannot send it begin `reason` with `gantry:force`.',
  'DescribeClusters.clusters': 'Names or ARNs, at most 100; `default` where absent.',
  'CreateCapacityProvider.name': 'Letters, digits, `-` and `_`; not beginning with `aws`, `ecs` or `fargate`.',
  'CreateCapacityProvider.cluster': 'Name of the one cluster that may use it.',
  'UpdateCapacityProvider.name': 'Name or ARN.',
  'UpdateCapacityProvider.cluster': 'Name of the one cluster that may use it.',
  'DescribeCapacityProviders.cluster': 'Only those that this cluster may use.',
  'DeleteCapacityProvider.cluster': 'Name of its cluster, where it has one.',
  'ListEvents.task': 'Id or ARN of a task: only what happened to it. It need not exist any more.',
  'ListEvents.host': 'Id, ARN or name of a host: only what happened to the host itself.',
  'ListEvents.after': 'The id of an event, which need not be kept any more: only those behind it, oldest first.',
  'ListEvents.order': 'Which come first (default: `newest`; with `after`: `oldest`).',
  'ListEvents.timeout':
    'Seconds, at most 25: where there is none yet, how long to wait for one. Only with `order=oldest`.',
  'CreateWebhook.task': 'Id or ARN of a task: only what happens to it.',
  'CreateWebhook.host': 'Id, ARN or name of a host: only what happens to the host itself.',
  'CreateWebhook.since': `${rfc3339}: also what was written down since then and is still kept.`,
  'UpdateWebhook.kind': 'Only these kinds of events; an empty list: all.',
  'UpdateWebhook.status': '`PAUSED` lets events wait; `ACTIVE` goes on at once, also after 410 Gone has disabled it.',
  'UpdateWebhook.skipWaiting': 'Drops what waits: it goes on with what happens from now on.',
  'PutRegistryCredentials.registry':
    '`host[:port]` as it stands in images’ names, without a path; `docker.io` for images that name none.',
  'PutRegistryCredentials.name':
    'What containers name them by in `repositoryCredentials.credentialsParameter`, for example the ARN of a secret. Absent: the ' +
    'registry, and they are used for all its images.',
  'PutRegistryCredentials.username': 'Without a colon.',
  'PutRegistryCredentials.password':
    'Sealed before it is stored, never answered, and given only to hosts that pull with it.',
  'DeleteRegistryCredentials.name': 'As ListRegistryCredentials answers it.',
  'ListAuditEntries.cluster': 'Only calls about this cluster.',
  'ListAccountSettings.name': 'Only this setting.',
  'ListAccountSettings.value': 'Only settings that have this value.',
  'PutAccountSetting.name': 'Name of the setting.',
  'PutAccountSetting.value': "One of ECS' values of it.",
  'PutAccountSettingDefault.name': 'Name of the setting.',
  'PutAccountSettingDefault.value': "One of ECS' values of it.",
  'DeleteAccountSetting.name': 'Name of the setting.',
  'CreateAccessKey.clusters': 'Names or ARNs; all clusters where absent.',
  'DecideHosts.containerInstances': 'Names, ids or ARNs; all hosts of the cluster that wait for it where absent.',
  'DecideHosts.decision':
    '`adopt`: tasks that this store does not know are taken over; `discard`: their host ends them. What it has not is over.',
  'GetCapacity.cluster': 'Name or ARN of the cluster; `default` where absent.',
};

/** Undefined where nobody has said. */
export function memberDoc(operation: string, member: string): string | undefined {
  const own = Object.entries(byOperation).find(([name]) => name === `${operation}.${member}`)?.[1];
  return own ?? (Object.hasOwn(byName, member) ? byName[member] : undefined);
}

/** For the test that none is about what there is not. */
export const documentedMembers: readonly string[] = [...Object.keys(byName), ...Object.keys(byOperation)];
