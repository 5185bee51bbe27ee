/** Examples: tags, settings, keys, what may join, and the end of what the others have made, in the order in which they can be made. */
import type { Example } from './example.ts';

const taskDefinitionArn = '{{register:taskDefinition.taskDefinitionArn}}';

export const administrationExamples: readonly Example[] = [
  {
    name: 'tag',
    operation: 'TagResource',
    title: 'Give a task definition a tag',
    input: { resourceArn: taskDefinitionArn, tags: [{ key: 'release', value: '42' }] },
  },
  {
    name: 'tags',
    operation: 'ListTagsForResource',
    title: 'All of its tags',
    input: { resourceArn: taskDefinitionArn },
  },
  {
    name: 'untag',
    operation: 'UntagResource',
    title: 'Take one away',
    input: { resourceArn: taskDefinitionArn, tagKeys: ['release'] },
  },
  {
    name: 'put-setting',
    operation: 'PutAccountSetting',
    title: 'Set one for the caller',
    input: { name: 'tagResourceAuthorization', value: 'off' },
  },
  {
    name: 'put-default',
    operation: 'PutAccountSettingDefault',
    title: 'Set one for everybody who has none of their own',
    input: { name: 'tagResourceAuthorization', value: 'on' },
  },
  {
    name: 'settings',
    operation: 'ListAccountSettings',
    title: 'What holds for the caller',
    input: { name: 'tagResourceAuthorization', effectiveSettings: true },
  },
  {
    name: 'delete-setting',
    operation: 'DeleteAccountSetting',
    title: 'Fall back to what is set for everybody',
    input: { name: 'tagResourceAuthorization' },
  },
  {
    name: 'create-key',
    operation: 'CreateAccessKey',
    title: 'A key that runs tasks in one cluster; they take no role and do not reach their host',
    input: { userName: 'ci', actions: ['read', 'run', 'register'], clusters: ['default'] },
  },
  { name: 'keys', operation: 'ListAccessKeys', title: 'All keys, without secrets', input: { limit: 1 } },
  {
    name: 'delete-key',
    operation: 'DeleteAccessKey',
    title: 'Revoke one',
    input: { accessKeyId: '{{create-key:accessKey.accessKeyId}}' },
  },
  {
    name: 'join-token',
    operation: 'CreateJoinToken',
    title: 'Let one machine join within a quarter of an hour',
    input: { lifetimeSeconds: 900 },
  },
  {
    name: 'admit',
    operation: 'AdmitInstances',
    title: 'Let an instance of EC2 join',
    input: { instanceIds: ['i-0123456789abcdef0'] },
  },
  {
    name: 'decide-hosts',
    operation: 'DecideHosts',
    title: 'Take over what hosts run, after the store was put back',
    input: { decision: 'adopt' },
  },
  {
    name: 'put-registry',
    operation: 'PutRegistryCredentials',
    title: 'What hosts pull every image of a private registry with',
    input: { registry: 'registry.example.com:5000', username: 'deploy', password: 'correct horse battery staple' },
  },
  {
    name: 'put-secret',
    operation: 'PutRegistryCredentials',
    title: 'Only for containers that name it, as a task definition written for ECS does',
    input: {
      registry: 'ghcr.io',
      name: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:ghcr-AbCdEf',
      username: 'ci',
      password: 'correct horse battery staple',
    },
  },
  { name: 'registries', operation: 'ListRegistryCredentials', title: 'All of a cluster, without passwords', input: {} },
  {
    name: 'delete-registry',
    operation: 'DeleteRegistryCredentials',
    title: 'Forget one',
    input: { name: 'registry.example.com:5000' },
  },
  {
    name: 'audit',
    operation: 'ListAuditEntries',
    title: 'Who has made or revoked keys',
    input: { operation: ['CreateAccessKey', 'DeleteAccessKey'] },
  },
  {
    name: 'deregister',
    operation: 'DeregisterTaskDefinition',
    title: 'Let nobody run a revision any more',
    input: { taskDefinition: '{{register:taskDefinition.taskDefinitionArn|id}}' },
  },
  {
    name: 'delete-definitions',
    operation: 'DeleteTaskDefinitions',
    title: 'Delete it once its tasks are forgotten',
    input: { taskDefinitions: ['{{register:taskDefinition.taskDefinitionArn|id}}'] },
  },
];
