/**
 * What becomes of each member of the requests that have no table of fields of their own in core/model: nearly all of them are honoured, so
 * nothing at run time needs a table. For docs/compatibility.md, which a test holds to the SDK's model and to the API's answers.
 */
import { type FieldTable, honoured, recorded, refused } from '../../core/model/field-table.ts';

const cluster = { cluster: honoured('Name or ARN; `default` where absent.') };
const theCluster = { cluster: honoured('Name or ARN.') };
const pages = {
  maxResults: honoured('The most that a page has: 1 to 100, which is also what it is where absent.'),
  nextToken: honoured('Of the page before.'),
};
const tags = {
  'tags[].key': honoured('1 to 128 characters, not beginning with `aws:`; at most 50 tags.'),
  'tags[].value': honoured('Up to 256 characters.'),
};
const include = (parts: string) => ({ 'include[]': honoured(`What is answered beside the rest: ${parts}.`) });
const someTasks = { 'tasks[]': honoured('Ids or ARNs.') };
const someHosts = { 'containerInstances[]': honoured("Ids, ARNs or hosts' names.") };
const aHost = { containerInstance: honoured("Id, ARN or the host's name.") };
const definition = { taskDefinition: honoured('`family` (its latest ACTIVE revision), `family:revision` or ARN.') };
const settings = {
  'settings[].name': honoured('`containerInsights`, or ours: `gantry:waitForCapacity`, `gantry:hostLostAfterSeconds`.'),
  'settings[].value': honoured(
    '`containerInsights` can only be `disabled`: nobody collects its metrics. `gantry:waitForCapacity`: `enabled` or `disabled`. ' +
      '`gantry:hostLostAfterSeconds`: 0, or 60 to 604800.',
  ),
};
const configuration = {
  'configuration.executeCommandConfiguration.logging': recorded('`NONE` or `DEFAULT`: there are no sessions to log.'),
  'configuration.executeCommandConfiguration.kmsKeyId': refused('There are no sessions to encrypt.'),
  'configuration.executeCommandConfiguration.logConfiguration': refused('There are no sessions to log.'),
  'configuration.managedStorageConfiguration': refused("A task's storage is its host's disk."),
  'serviceConnectDefaults.namespace': refused('There are no namespaces; the empty text, which unsets one, is taken.'),
};
const strategy = {
  'capacityProviders[]': honoured('Names or ARNs; not FARGATE and FARGATE_SPOT, which there are not.'),
  'defaultCapacityProviderStrategy[].capacityProvider': honoured('One of those of the cluster.'),
  'defaultCapacityProviderStrategy[].weight': honoured('Its share of the tasks beyond the base.'),
  'defaultCapacityProviderStrategy[].base': honoured('How many of the tasks of a call at least; of one provider only.'),
};
const attributes = {
  'attributes[].name': honoured('Not one that the host reports itself (`ecs.`, `gantry.` …).'),
  'attributes[].value': honoured('Up to 128 characters.'),
  'attributes[].targetType': honoured('`container-instance`, which is also what is meant where it is absent.'),
  'attributes[].targetId': honoured("The host's id, ARN or name."),
};
const resource = {
  resourceArn: honoured('Of a task, task definition, cluster, container instance or capacity provider.'),
};
const setting = {
  name: honoured("One of ECS' account settings; `effect` in the answer says what each does here."),
  value: honoured('One of the values that ECS knows, unless it promises what there is not (`containerInsights`).'),
};
const principalArn = { principalArn: honoured('Whose setting; the caller where absent.') };

export const otherFields: Readonly<Record<string, FieldTable>> = {
  DescribeTaskDefinition: { ...definition, ...include('`TAGS`') },
  ListTaskDefinitions: {
    familyPrefix: honoured('A whole family, as in ECS.'),
    status: honoured('`ACTIVE` (where absent), `INACTIVE` or `DELETE_IN_PROGRESS`.'),
    sort: honoured('`ASC` (where absent) or `DESC`, across pages.'),
    ...pages,
  },
  ListTaskDefinitionFamilies: {
    familyPrefix: honoured('What the name begins with.'),
    status: honoured('`ACTIVE`, `INACTIVE` or `ALL` (where absent).'),
    ...pages,
  },
  DeregisterTaskDefinition: { taskDefinition: honoured('`family:revision` or ARN.') },
  DeleteTaskDefinitions: { 'taskDefinitions[]': honoured('Up to 10, `family:revision` or ARN.') },
  StopTask: {
    ...cluster,
    task: honoured('Id or ARN.'),
    reason: honoured('Kept as stoppedReason. Beginning with `gantry:force` it kills at once.'),
  },
  DescribeTasks: { ...cluster, ...someTasks, ...include('`TAGS`') },
  ListTasks: {
    ...cluster,
    ...aHost,
    family: honoured('Of the revision that it runs.'),
    startedBy: honoured('As RunTask named it; may be combined with the other filters.'),
    desiredStatus: honoured('`RUNNING` (where absent), `PENDING` (as in ECS, nothing) or `STOPPED`.'),
    launchType: honoured('`EC2` or `EXTERNAL`; there are no tasks of others.'),
    serviceName: refused('There are no services yet: ServiceNotFoundException.'),
    daemonName: refused('There are no daemons: DaemonNotFoundException.'),
    ...pages,
  },
  GetTaskProtection: { ...theCluster, ...someTasks },
  UpdateTaskProtection: {
    ...theCluster,
    ...someTasks,
    protectionEnabled: honoured('Keeps a task from being moved for the sake of something else.'),
    expiresInMinutes: honoured('1 to 2880; 120 where absent.'),
  },
  CreateCluster: {
    clusterName: honoured('1 to 255 letters, digits, hyphens and underscores; `default` where absent.'),
    ...tags,
    ...settings,
    ...configuration,
    ...strategy,
  },
  DescribeClusters: {
    'clusters[]': honoured('Names or ARNs; `default` where absent.'),
    ...include('`ATTACHMENTS`, `CONFIGURATIONS`, `SETTINGS`, `STATISTICS`, `TAGS`'),
  },
  ListClusters: pages,
  DeleteCluster: theCluster,
  UpdateCluster: { ...theCluster, ...settings, ...configuration },
  UpdateClusterSettings: { ...cluster, ...settings },
  PutClusterCapacityProviders: { ...cluster, ...strategy },
  DescribeContainerInstances: { ...cluster, ...someHosts, ...include('`TAGS`, `CONTAINER_INSTANCE_HEALTH`') },
  ListContainerInstances: {
    ...cluster,
    filter: honoured('The whole cluster query language (docs/placement.md).'),
    status: honoured('`ACTIVE`, `DRAINING`, `REGISTERING` …; all but INACTIVE where absent.'),
    ...pages,
  },
  UpdateContainerInstancesState: { ...cluster, ...someHosts, status: honoured('`ACTIVE` or `DRAINING`.') },
  UpdateContainerAgent: { ...cluster, ...aHost },
  DeregisterContainerInstance: {
    ...cluster,
    ...aHost,
    force: honoured('Also a host that has tasks, which are stopped with it.'),
  },
  DeleteCapacityProvider: {
    capacityProvider: honoured('Name or ARN.'),
    cluster: honoured('The cluster of a provider of one cluster.'),
  },
  DescribeCapacityProviders: {
    'capacityProviders[]': honoured('Names or ARNs, at most 100.'),
    cluster: honoured('Those of this cluster.'),
    ...include('`TAGS`'),
    ...pages,
  },
  PutAttributes: { ...cluster, ...attributes },
  DeleteAttributes: { ...cluster, ...attributes },
  ListAttributes: {
    ...cluster,
    targetType: honoured('`container-instance`.'),
    attributeName: honoured('Those of this name.'),
    attributeValue: honoured('Those of this value.'),
    ...pages,
  },
  TagResource: { ...resource, ...tags },
  UntagResource: { ...resource, 'tagKeys[]': honoured('Keys of the tags to take away.') },
  ListTagsForResource: resource,
  ListAccountSettings: {
    ...setting,
    ...principalArn,
    effectiveSettings: honoured('Also those that hold by default.'),
    ...pages,
  },
  PutAccountSetting: { ...setting, ...principalArn },
  PutAccountSettingDefault: setting,
  DeleteAccountSetting: { name: setting.name, ...principalArn },
};
