/**
 * The handler of each operation. An operation without one, or with one of another form, is a type error. What is asked for
 * seldom, or by people, is loaded when it is asked for: a cold start of the API reads what every caller needs, and no more.
 */
import type { Handlers } from './context.ts';
import { toldWhereRefused } from './refused.ts';
import { runTask } from './run-task.ts';
import { describeTasks } from './tasks.ts';

const access = () => import('./access.ts');
const accountSettings = () => import('./account-settings.ts');
const attributes = () => import('./attributes.ts');
const capacityProviders = () => import('./capacity-providers.ts');
const clusters = () => import('./clusters.ts');
const clusterCapacity = () => import('./cluster-capacity.ts');
const hosts = () => import('./hosts.ts');
const hostStates = () => import('./host-states.ts');
const lists = () => import('./list-tasks.ts');
const retirement = () => import('./retire-task-definitions.ts');
const registryCredentials = () => import('./registry-credentials.ts');
const tags = () => import('./tags.ts');
const taskProtection = () => import('./task-protection.ts');
const taskDefinitionLists = () => import('./task-definition-lists.ts');
const webhooks = () => import('./webhooks.ts');

/** A handler of a module that is loaded when it is asked for: shorter in the bundle than a function for each. */
const later = <Name extends string, Module extends Readonly<Record<Name, AnyHandler>>>(
  load: () => Promise<Module>,
  name: Name,
): Module[Name] => (async (context, input) => (await load())[name](context, input)) as AnyHandler as Module[Name];

/** Takes what no caller can give: what it takes is known where it is used. */
type AnyHandler = (context: never, input: never) => Promise<unknown>;

export const handlers: Handlers = {
  RegisterTaskDefinition: later(() => import('./register-task-definition.ts'), 'registerTaskDefinition'),
  DescribeTaskDefinition: later(() => import('./describe-task-definition.ts'), 'describeTaskDefinition'),
  ListTaskDefinitions: later(taskDefinitionLists, 'listTaskDefinitions'),
  ListTaskDefinitionFamilies: later(taskDefinitionLists, 'listTaskDefinitionFamilies'),
  DeregisterTaskDefinition: later(retirement, 'deregisterTaskDefinition'),
  DeleteTaskDefinitions: later(retirement, 'deleteTaskDefinitions'),
  RunTask: toldWhereRefused('RunTask', runTask),
  StartTask: toldWhereRefused(
    'StartTask',
    later(() => import('./start-task.ts'), 'startTask'),
  ),
  StopTask: later(() => import('./stop-task.ts'), 'stopTask'),
  DescribeTasks: describeTasks,
  ListTasks: later(lists, 'listTasks'),
  GetTasks: later(lists, 'getTasks'),
  GetTask: later(() => import('./get-task.ts'), 'getTask'),
  GetTaskProtection: later(taskProtection, 'getTaskProtection'),
  UpdateTaskProtection: later(taskProtection, 'updateTaskProtection'),
  CreateCluster: later(clusters, 'createCluster'),
  DescribeClusters: later(clusters, 'describeClusters'),
  ListClusters: later(clusters, 'listClusters'),
  DeleteCluster: later(clusters, 'deleteCluster'),
  UpdateCluster: later(clusterCapacity, 'updateCluster'),
  UpdateClusterSettings: later(clusterCapacity, 'updateClusterSettings'),
  PutClusterCapacityProviders: later(clusterCapacity, 'putClusterCapacityProviders'),
  CreateCapacityProvider: later(capacityProviders, 'createCapacityProvider'),
  UpdateCapacityProvider: later(capacityProviders, 'updateCapacityProvider'),
  DeleteCapacityProvider: later(capacityProviders, 'deleteCapacityProvider'),
  DescribeCapacityProviders: later(capacityProviders, 'describeCapacityProviders'),
  GetCapacity: later(() => import('./capacity.ts'), 'getCapacity'),
  ListEvents: later(() => import('./events.ts'), 'listEvents'),
  ListAuditEntries: later(() => import('./audit.ts'), 'listAuditEntries'),
  PutRegistryCredentials: later(registryCredentials, 'putRegistryCredentials'),
  ListRegistryCredentials: later(registryCredentials, 'listRegistryCredentials'),
  DeleteRegistryCredentials: later(registryCredentials, 'deleteRegistryCredentials'),
  CreateWebhook: later(webhooks, 'createWebhook'),
  ListWebhooks: later(webhooks, 'listWebhooks'),
  GetWebhook: later(webhooks, 'getWebhook'),
  UpdateWebhook: later(webhooks, 'updateWebhook'),
  TestWebhook: later(webhooks, 'testWebhook'),
  DeleteWebhook: later(webhooks, 'deleteWebhook'),
  PlanTasks: later(() => import('./plan-tasks.ts'), 'planTasks'),
  DescribeContainerInstances: later(hosts, 'describeContainerInstances'),
  ListContainerInstances: later(hosts, 'listContainerInstances'),
  UpdateContainerInstancesState: later(hostStates, 'updateContainerInstancesState'),
  DecideHosts: later(() => import('./decide-hosts.ts'), 'decideHosts'),
  UpdateContainerAgent: later(hostStates, 'updateContainerAgent'),
  DeregisterContainerInstance: later(hostStates, 'deregisterContainerInstance'),
  GetHosts: later(hosts, 'getHosts'),
  GetHostImages: later(() => import('./host-images.ts'), 'getHostImages'),
  GetHostStats: later(() => import('./host-stats.ts'), 'getHostStats'),
  GetHost: later(hosts, 'getHost'),
  PutAttributes: later(attributes, 'putAttributes'),
  DeleteAttributes: later(attributes, 'deleteAttributes'),
  ListAttributes: later(attributes, 'listAttributes'),
  TagResource: later(tags, 'tagResource'),
  UntagResource: later(tags, 'untagResource'),
  ListTagsForResource: later(tags, 'listTagsForResource'),
  ListAccountSettings: later(accountSettings, 'listAccountSettings'),
  PutAccountSetting: later(accountSettings, 'putAccountSetting'),
  PutAccountSettingDefault: later(accountSettings, 'putAccountSettingDefault'),
  DeleteAccountSetting: later(accountSettings, 'deleteAccountSetting'),
  CreateAccessKey: later(access, 'createAccessKey'),
  ListAccessKeys: later(access, 'listAccessKeys'),
  DeleteAccessKey: later(access, 'deleteAccessKey'),
  CreateJoinToken: later(access, 'createJoinToken'),
  AdmitInstances: later(access, 'admitInstances'),
};
