/**
 * For tests of how clients name things on the ECS wire: a control plane with one of everything, ARNs that are of nothing here with the
 * error of each, and what an answer says as one text.
 */
import { z } from 'zod';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from './api-server.ts';

export const arn = (resource: string, prefix = 'arn:aws:ecs:us-east-1:000000000000') => `${prefix}:${resource}`;
export const noId = 'f'.repeat(32);
/** One more than any list may have. */
export const tooMany = Array.from({ length: 101 }, (_, index) => index.toString(16).padStart(32, '0'));

export const invalid = (message: string) => `InvalidParameterException: ${message}`;
export const client = (message: string) => `ClientException: ${message}`;
export const noCluster = 'ClusterNotFoundException: Cluster not found. ListClusters shows which there are.';

/** With the host `Host-1`; the revisions job:1, job:2 and over:1, which is INACTIVE; the capacity provider `own` of `default`. */
export interface Named {
  readonly api: ApiServer;
  readonly host: ScriptedHost;
  /** On the host. */
  readonly task: string;
  /** Of the cluster `other`. The cluster `gone` is INACTIVE, `spare` has nothing. */
  readonly otherTask: string;
  /** `done`, what failures[] says, or the error, each as a text. */
  readonly outcomeOf: (operation: string, request: object) => Promise<string>;
}

export const startedSchema = z.object({ tasks: z.array(z.object({ taskArn: z.string() })) });

export const capacity = (capacityProviders: readonly string[], cluster: string) => ({
  cluster,
  capacityProviders,
  defaultCapacityProviderStrategy: [],
});

export async function startNamed(): Promise<Named> {
  const api = await startApi();
  const { wire } = api;
  const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64 }];
  for (const family of ['job', 'job', 'over']) await wire('RegisterTaskDefinition', { family, containerDefinitions });
  await wire('DeregisterTaskDefinition', { taskDefinition: 'over:1' });
  for (const clusterName of ['other', 'gone', 'spare']) await wire('CreateCluster', { clusterName });
  await wire('DeleteCluster', { cluster: 'gone' });
  await wire('CreateCapacityProvider', { name: 'own', gantry: {} });
  await wire('PutClusterCapacityProviders', capacity(['own'], 'default'));
  const host = await api.host({ name: 'Host-1', cpuUnits: 8192, memoryMib: 65_536 });
  const run = async (request: object): Promise<string> => {
    const { body } = await wire('RunTask', { taskDefinition: 'job', ...request });
    return startedSchema.parse(body).tasks[0]?.taskArn.split('/').at(-1) ?? '';
  };
  const task = await run({ launchType: 'EC2' });
  const otherTask = await run({ cluster: 'other' });
  return { api, host, task, otherTask, outcomeOf: (operation, request) => outcomeOf(api, operation, request) };
}

const answerSchema = z.object({
  __type: z.string().optional(),
  message: z.string().optional(),
  failures: z.array(z.object({ arn: z.string().optional(), reason: z.string() })).optional(),
});

async function outcomeOf({ wire }: Pick<ApiServer, 'wire'>, operation: string, request: object): Promise<string> {
  const { body } = await wire(operation, request);
  const { __type, message, failures = [] } = answerSchema.parse(body);
  if (__type !== undefined) return `${__type}: ${message}`;
  return failures.length === 0 ? 'done' : failures.map((one) => `${one.reason} ${one.arn}`).join(', ');
}

/** ARNs that are of nothing here, and why; `resource` would be fine. */
export const strangers = (resource: string, field: string, noun: string, error = invalid) =>
  ({
    'of another account': [
      arn(resource, 'arn:aws:ecs:us-east-1:123456789012'),
      error('Identifier is for 123456789012. Your accountId is 000000000000'),
    ],
    'of another region': [
      arn(resource, 'arn:aws:ecs:eu-west-1:000000000000'),
      error('Identifier is for eu-west-1. Your region is us-east-1'),
    ],
    'of another partition': [
      arn(resource, 'arn:aws-cn:ecs:us-east-1:000000000000'),
      error('Identifier is for aws-cn. Your partition is aws'),
    ],
    ...Object.fromEntries(
      Object.entries({
        'of another service': arn(resource, 'arn:aws:eks:us-east-1:000000000000'),
        'of another kind': arn(noun === 'a cluster' ? `task/default/${noId}` : 'cluster/default'),
        'of a service': arn('service/default/web'),
        'with a part too many': `${arn(resource)}/x`,
        'that is none': 'arn:aws:ecs',
      }).map(([form, text]) => [form, [text, error(`Invalid identifier: ${text} is not the ARN of ${noun}.`)]]),
    ),
    'that is empty': ['', error(`${field} can not be blank.`)],
  }) as Readonly<Record<string, readonly [reference: string, expected: string]>>;
