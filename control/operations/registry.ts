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
const tags = () => import('./tags.ts');
const taskProtection = () => import('./task-protection.ts');
const taskDefinitionLists = () => import('./task-definition-lists.ts');
const webhooks = () => import('./webhooks.ts');

export const handlers: Handlers = {
  RegisterTaskDefinition: async (...call) =>
    (await import('./register-task-definition.ts')).registerTaskDefinition(...call),
  DescribeTaskDefinition: async (...call) =>
    (await import('./describe-task-definition.ts')).describeTaskDefinition(...call),
  ListTaskDefinitions: async (...call) => (await taskDefinitionLists()).listTaskDefinitions(...call),
  ListTaskDefinitionFamilies: async (...call) => (await taskDefinitionLists()).listTaskDefinitionFamilies(...call),
  DeregisterTaskDefinition: async (...call) => (await retirement()).deregisterTaskDefinition(...call),
  DeleteTaskDefinitions: async (...call) => (await retirement()).deleteTaskDefinitions(...call),
  RunTask: toldWhereRefused('RunTask', runTask),
  StartTask: toldWhereRefused('StartTask', async (...call) => (await import('./start-task.ts')).startTask(...call)),
  StopTask: async (...call) => (await import('./stop-task.ts')).stopTask(...call),
  DescribeTasks: describeTasks,
  ListTasks: async (...call) => (await lists()).listTasks(...call),
  GetTasks: async (...call) => (await lists()).getTasks(...call),
  GetTask: async (...call) => (await import('./get-task.ts')).getTask(...call),
  GetTaskProtection: async (...call) => (await taskProtection()).getTaskProtection(...call),
  UpdateTaskProtection: async (...call) => (await taskProtection()).updateTaskProtection(...call),
  CreateCluster: async (...call) => (await clusters()).createCluster(...call),
  DescribeClusters: async (...call) => (await clusters()).describeClusters(...call),
  ListClusters: async (...call) => (await clusters()).listClusters(...call),
  DeleteCluster: async (...call) => (await clusters()).deleteCluster(...call),
  UpdateCluster: async (...call) => (await clusterCapacity()).updateCluster(...call),
  UpdateClusterSettings: async (...call) => (await clusterCapacity()).updateClusterSettings(...call),
  PutClusterCapacityProviders: async (...call) => (await clusterCapacity()).putClusterCapacityProviders(...call),
  CreateCapacityProvider: async (...call) => (await capacityProviders()).createCapacityProvider(...call),
  UpdateCapacityProvider: async (...call) => (await capacityProviders()).updateCapacityProvider(...call),
  DeleteCapacityProvider: async (...call) => (await capacityProviders()).deleteCapacityProvider(...call),
  DescribeCapacityProviders: async (...call) => (await capacityProviders()).describeCapacityProviders(...call),
  GetCapacity: async (...call) => (await import('./capacity.ts')).getCapacity(...call),
  ListEvents: async (...call) => (await import('./events.ts')).listEvents(...call),
  ListAuditEntries: async (...call) => (await import('./audit.ts')).listAuditEntries(...call),
  CreateWebhook: async (...call) => (await webhooks()).createWebhook(...call),
  ListWebhooks: async (...call) => (await webhooks()).listWebhooks(...call),
  GetWebhook: async (...call) => (await webhooks()).getWebhook(...call),
  UpdateWebhook: async (...call) => (await webhooks()).updateWebhook(...call),
  TestWebhook: async (...call) => (await webhooks()).testWebhook(...call),
  DeleteWebhook: async (...call) => (await webhooks()).deleteWebhook(...call),
  PlanTasks: async (...call) => (await import('./plan-tasks.ts')).planTasks(...call),
  DescribeContainerInstances: async (...call) => (await hosts()).describeContainerInstances(...call),
  ListContainerInstances: async (...call) => (await hosts()).listContainerInstances(...call),
  UpdateContainerInstancesState: async (...call) => (await hostStates()).updateContainerInstancesState(...call),
  UpdateContainerAgent: async (...call) => (await hostStates()).updateContainerAgent(...call),
  DeregisterContainerInstance: async (...call) => (await hostStates()).deregisterContainerInstance(...call),
  GetHosts: async (...call) => (await hosts()).getHosts(...call),
  GetHost: async (...call) => (await hosts()).getHost(...call),
  PutAttributes: async (...call) => (await attributes()).putAttributes(...call),
  DeleteAttributes: async (...call) => (await attributes()).deleteAttributes(...call),
  ListAttributes: async (...call) => (await attributes()).listAttributes(...call),
  TagResource: async (...call) => (await tags()).tagResource(...call),
  UntagResource: async (...call) => (await tags()).untagResource(...call),
  ListTagsForResource: async (...call) => (await tags()).listTagsForResource(...call),
  ListAccountSettings: async (...call) => (await accountSettings()).listAccountSettings(...call),
  PutAccountSetting: async (...call) => (await accountSettings()).putAccountSetting(...call),
  PutAccountSettingDefault: async (...call) => (await accountSettings()).putAccountSettingDefault(...call),
  DeleteAccountSetting: async (...call) => (await accountSettings()).deleteAccountSetting(...call),
  CreateAccessKey: async (...call) => (await access()).createAccessKey(...call),
  ListAccessKeys: async (...call) => (await access()).listAccessKeys(...call),
  DeleteAccessKey: async (...call) => (await access()).deleteAccessKey(...call),
  CreateJoinToken: async (...call) => (await access()).createJoinToken(...call),
  AdmitInstances: async (...call) => (await access()).admitInstances(...call),
};
