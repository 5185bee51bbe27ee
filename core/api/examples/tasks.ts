/** Examples: task definitions, tasks and what is told of them, in the order in which they can be made. */
import type { Example } from './example.ts';

const task = '{{run:tasks.0.taskArn|id}}';

export const taskExamples: readonly Example[] = [
  {
    name: 'register',
    operation: 'RegisterTaskDefinition',
    title: 'Register a web server with a health page and a limit of memory',
    input: {
      family: 'web',
      containerDefinitions: [
        {
          name: 'nginx',
          image: 'docker.io/library/nginx:1.27',
          cpu: 256,
          memory: 256,
          essential: true,
          portMappings: [{ containerPort: 80 }],
          environment: [{ name: 'GREETING', value: 'hello' }],
        },
      ],
      tags: [{ key: 'team', value: 'shop' }],
    },
  },
  {
    name: 'register-refused',
    operation: 'RegisterTaskDefinition',
    title: 'What cannot be honoured is refused by its path',
    input: {
      family: 'web',
      containerDefinitions: [
        {
          name: 'nginx',
          image: 'docker.io/library/nginx:1.27',
          memory: 256,
          secrets: [{ name: 'PASSWORD', valueFrom: 'arn:aws:ssm:us-east-1:000000000000:parameter/password' }],
        },
      ],
    },
    refused: { status: 422, code: 'ClientException' },
  },
  {
    name: 'describe-definition',
    operation: 'DescribeTaskDefinition',
    title: 'The latest ACTIVE revision of a family, with its tags',
    input: { taskDefinition: 'web', include: ['TAGS'] },
  },
  {
    name: 'families',
    operation: 'ListTaskDefinitionFamilies',
    title: 'Families that begin with a prefix',
    input: { familyPrefix: 'we', status: 'ACTIVE' },
  },
  {
    name: 'definitions',
    operation: 'ListTaskDefinitions',
    title: 'The newest revisions first',
    input: { familyPrefix: 'web', sort: 'DESC', maxResults: 10 },
  },
  {
    name: 'run',
    operation: 'RunTask',
    title: 'Run two tasks, with another command and for at most ten minutes',
    isOurs: true,
    input: {
      taskDefinition: 'web',
      count: 2,
      startedBy: 'nightly',
      clientToken: 'nightly-2026-05-01',
      timeoutSeconds: 600,
      overrides: { containerOverrides: [{ name: 'nginx', environment: [{ name: 'GREETING', value: 'good night' }] }] },
      tags: [{ key: 'run', value: '2026-05-01' }],
    },
  },
  {
    name: 'run-refused',
    operation: 'RunTask',
    title: 'With a launch type, what fits nowhere is refused, and says why',
    input: { taskDefinition: 'web', launchType: 'EC2', overrides: { memory: '65536' } },
  },
  {
    name: 'run-waiting',
    operation: 'RunTask',
    title: 'Without one it waits, here for an hour, and says for what',
    isOurs: true,
    input: { taskDefinition: 'web', overrides: { memory: '65536' }, placementTimeoutSeconds: 3600 },
  },
  {
    name: 'plan',
    operation: 'PlanTasks',
    title: 'Ask where 20 tasks would go, without running any',
    input: { taskDefinition: 'web', count: 20 },
  },
  {
    name: 'get',
    operation: 'GetTask',
    title: 'Wait until the task runs, for 25 seconds at most',
    input: { task, wait: 'running', timeout: 25 },
  },
  {
    name: 'host-stats',
    operation: 'GetHostStats',
    title: 'What the containers of its host have used until now',
    input: { host: 'host-1' },
  },
  {
    name: 'get-refused',
    operation: 'GetTask',
    title: 'A task that is not there',
    input: { task: '0123456789abcdef0123456789abcdef' },
    refused: { status: 404, code: 'ResourceNotFoundException' },
  },
  {
    name: 'describe-tasks',
    operation: 'DescribeTasks',
    title: 'Several tasks, with tags; those that are not there are failures',
    input: { tasks: [task, '0123456789abcdef0123456789abcdef'], include: ['TAGS'] },
  },
  {
    name: 'list-tasks',
    operation: 'ListTasks',
    title: 'What somebody has started and has a tag',
    isOurs: true,
    input: { startedBy: 'nightly', tag: ['run=2026-05-01'] },
  },
  {
    name: 'get-tasks',
    operation: 'GetTasks',
    title: 'Whole tasks of a family, without a second request',
    input: { family: 'web', desiredStatus: 'RUNNING', limit: 1 },
  },
  {
    name: 'protect',
    operation: 'UpdateTaskProtection',
    title: 'Keep a task where it is for an hour',
    input: { cluster: 'default', tasks: [task], protectionEnabled: true, expiresInMinutes: 60 },
  },
  {
    name: 'protection',
    operation: 'GetTaskProtection',
    title: 'Until when it is protected',
    input: { cluster: 'default', tasks: [task] },
  },
  {
    name: 'start',
    operation: 'StartTask',
    title: 'Start a task on a host that is named',
    input: { taskDefinition: 'web', containerInstances: ['host-1'] },
  },
  {
    name: 'stop',
    operation: 'StopTask',
    title: 'Stop a task and say why',
    input: { task, reason: 'a newer release is out' },
  },
  {
    name: 'watch',
    operation: 'WatchTask',
    title: 'Follow a task to its end, line by line',
    input: { cluster: 'default', task },
  },
  {
    name: 'logs',
    operation: 'ReadLogs',
    title: 'The last ten lines of a container',
    input: { cluster: 'default', task, container: 'nginx', tail: 10 },
  },
  {
    name: 'events',
    operation: 'ListEvents',
    title: 'What was refused, and why tasks wait, the newest first',
    input: { kind: ['refusal', 'waiting'], limit: 2 },
  },
  {
    name: 'events-on',
    operation: 'ListEvents',
    title: 'Go on behind an event, and wait up to 25 seconds for what comes',
    input: { after: '{{events:events.1.id}}', kind: ['refusal', 'waiting'], limit: 1, timeout: 25 },
  },
  {
    name: 'stream-events',
    operation: 'StreamEvents',
    title: 'What happens to tasks, as it happens',
    input: { kind: ['task'], after: '{{events:events.1.id}}' },
  },
  {
    name: 'webhook',
    operation: 'CreateWebhook',
    title: 'Have a server told what becomes of tasks',
    input: { url: 'https://example.com/gantry', kind: ['task', 'refusal'], description: 'to the chat room' },
  },
  {
    name: 'webhook-test',
    operation: 'TestWebhook',
    title: 'Try it',
    input: { webhook: '{{webhook:webhook.webhookId}}' },
  },
  {
    name: 'webhook-pause',
    operation: 'UpdateWebhook',
    title: 'Pause it; its events wait',
    input: { webhook: '{{webhook:webhook.webhookId}}', status: 'PAUSED' },
  },
  {
    name: 'webhook-get',
    operation: 'GetWebhook',
    title: 'How it fares, and how much waits',
    input: { webhook: '{{webhook:webhook.webhookId}}' },
  },
  { name: 'webhooks', operation: 'ListWebhooks', title: 'All of a cluster', input: {} },
  {
    name: 'webhook-delete',
    operation: 'DeleteWebhook',
    title: 'Delete it',
    input: { webhook: '{{webhook:webhook.webhookId}}' },
  },
];
