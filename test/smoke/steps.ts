/**
 * The life of a deployment, step by step, at the outside: what `npm run smoke:aws` shows of a real account and `npm run test:emulator`
 * rehearses. A step throws where something is wrong, and answers what is worth knowing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
  waitUntilTasksRunning,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs';
import { callQueryApi } from './query-api.ts';
import type { Deployed, Need, Site } from './site.ts';

export interface Step {
  readonly name: string;
  readonly needs?: Need;
  readonly run: (smoke: Smoke) => Promise<string | undefined>;
}

/** What the steps hand on. */
export class Smoke {
  readonly site: Site;
  deployed: Deployed | undefined;
  ecs: ECSClient | undefined;
  task: Task | undefined;

  constructor(site: Site) {
    this.site = site;
  }

  get stack(): Deployed {
    return there(this.deployed, 'a deployment');
  }

  get wire(): ECSClient {
    return there(this.ecs, 'a client with a key');
  }

  get running(): Task & { taskArn: string } {
    const task = there(this.task, 'a task');
    return { ...task, taskArn: there(task.taskArn, 'its ARN') };
  }
}

function there<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the step before has not made ${what}`);
  return value;
}

function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

export const steps: readonly Step[] = [
  {
    name: 'deploys',
    async run(smoke) {
      smoke.deployed = await smoke.site.deploy(smoke.site.context);
      return `REST at ${smoke.deployed.endpoint}, the ECS protocol at ${smoke.deployed.wireEndpoint}`;
    },
  },
  {
    name: 'answers REST to whom IAM lets through, and to nobody else',
    async run({ stack }) {
      const unsigned = await fetch(`${stack.endpoint}/v1/clusters`);
      check(unsigned.status === 403, `an unsigned request was answered with ${unsigned.status}, not 403`);
      const { clusterArns } = await stack.client.call('ListClusters', {});
      check(clusterArns.length > 0, 'there is no cluster');
      return clusterArns.join(', ');
    },
  },
  {
    name: 'takes an access key of its own for the ECS protocol',
    async run(smoke) {
      const { accessKey, secretAccessKey } = await smoke.stack.client.call('CreateAccessKey', {
        userName: 'smoke',
        actions: ['read', 'run', 'register'],
      });
      const clientOf = (secret: string, endpoint = smoke.stack.wireEndpoint) =>
        new ECSClient({
          region: smoke.site.region,
          endpoint,
          credentials: { accessKeyId: accessKey.accessKeyId, secretAccessKey: secret },
        });
      smoke.ecs = clientOf(secretAccessKey);
      await smoke.wire.send(new DescribeTasksCommand({ tasks: [neverThere] }));
      const refusal = await clientOf(`${secretAccessKey.slice(0, -1)}!`)
        .send(new DescribeTasksCommand({ tasks: [neverThere] }))
        .then(
          () => 'nothing',
          (error: unknown) => (error instanceof Error ? error.name : 'something else'),
        );
      check(refusal === 'InvalidSignatureException', `a wrong secret met ${refusal}, not InvalidSignatureException`);
      return undefined;
    },
  },
  {
    name: 'finds out whether API Gateway takes X-Amz-Target by itself',
    needs: 'gateway',
    async run({ stack }) {
      const answer = await fetch(`${stack.endpoint}/`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ListClusters',
        },
        body: '{}',
      });
      const text = await answer.text();
      // Unsigned: it is Gantry's own refusal where the request arrives.
      const arrives = text.includes('MissingAuthenticationToken');
      return arrives
        ? 'it does: gantry:wireFront=http-api is enough, and CloudFront is not needed'
        : `it does not (${answer.status}): ${text.slice(0, 200)}`;
    },
  },
  {
    name: 'gets a host',
    async run({ stack }) {
      await stack.bringHost();
      const began = Date.now();
      const host = await eventually('a connected host', 15 * 60, async () =>
        (await stack.client.call('GetHosts', { cluster: stack.outputs.ClusterName })).hosts.find(
          ({ agentConnected, status }) => agentConnected && status === 'ACTIVE',
        ),
      );
      return `${host.hostName} is ACTIVE after ${seconds(began)}`;
    },
  },
  {
    name: 'runs a task to RUNNING',
    async run(smoke) {
      const began = Date.now();
      smoke.task = await startTask(smoke, 'smoke', untilStopped);
      await waitUntilTasksRunning({ client: smoke.wire, maxWaitTime: 300, minDelay: 1 }, awaited(smoke, smoke.running));
      smoke.task = await describe(smoke, smoke.running.taskArn);
      return `RUNNING after ${seconds(began)}, its image pulled on the way`;
    },
  },
  {
    name: 'keeps instance metadata from tasks in bridge and host mode',
    needs: 'instances',
    async run(smoke) {
      for (const networkMode of ['bridge', 'host'] as const) {
        const look = 'wget -T 3 -q -O - http://169.254.169.254/latest/meta-data/ && echo reached; true';
        const task = await startTask(smoke, `metadata-${networkMode}`, ['sh', '-c', look], networkMode);
        await waitUntilTasksStopped({ client: smoke.wire, maxWaitTime: 300, minDelay: 1 }, awaited(smoke, task));
        const { task: ended } = await smoke.stack.client.call('GetTask', {
          cluster: smoke.stack.outputs.ClusterName,
          task: task.taskArn,
        });
        const output = ended.containers.flatMap(({ lastLogLines }) => lastLogLines ?? []).map(({ text }) => text);
        check(
          ended.containers[0]?.exitCode === 0,
          `the task in ${networkMode} mode did not run: ${ended.stoppedReason}`,
        );
        check(!output.includes('reached'), `a task in ${networkMode} mode reached instance metadata`);
      }
      return undefined;
    },
  },
  {
    name: 'is updated with no task disturbed',
    async run(smoke) {
      const before = smoke.running;
      smoke.deployed = await smoke.site.deploy({ ...smoke.site.context, heartbeatSeconds: '30', dashboard: 'false' });
      const after = await describe(smoke, before.taskArn);
      check(after.lastStatus === 'RUNNING', `the task is ${after.lastStatus}: ${after.stoppedReason}`);
      const [containerBefore, containerAfter] = [before, after].map(({ containers }) => containers?.[0]?.runtimeId);
      check(containerBefore === containerAfter, 'the task has another container than before');
      return undefined;
    },
  },
  {
    name: 'stops a task',
    async run(smoke) {
      const { taskArn } = smoke.running;
      await smoke.wire.send(
        new StopTaskCommand({ cluster: smoke.stack.outputs.ClusterName, task: taskArn, reason: 'enough' }),
      );
      await waitUntilTasksStopped({ client: smoke.wire, maxWaitTime: 120, minDelay: 1 }, awaited(smoke, smoke.running));
      const { stoppedReason } = await describe(smoke, taskArn);
      check(stoppedReason === 'enough', `its reason is ${stoppedReason}`);
      return undefined;
    },
  },
  {
    name: 'ends a host whose instance is terminated',
    needs: 'instances',
    async run(smoke) {
      const { stack } = smoke;
      const task = await startTask(smoke, 'lost', untilStopped);
      await waitUntilTasksRunning({ client: smoke.wire, maxWaitTime: 300, minDelay: 1 }, awaited(smoke, task));
      const { task: running } = await stack.client.call('GetTask', {
        cluster: stack.outputs.ClusterName,
        task: task.taskArn,
      });
      const instanceId = there(running.hostName, 'a task on a host');
      // As its owner or a spot interruption would: the control plane must notice by EC2's own event.
      await callQueryApi({
        service: 'ec2',
        region: smoke.site.region,
        credentials: await stack.credentials(),
        form: { Action: 'TerminateInstances', Version: '2016-11-15', 'InstanceId.1': instanceId },
      });
      const ended = await eventually('the end of its task', 10 * 60, async () => {
        const { lastStatus, stoppedReason } = await describe(smoke, task.taskArn);
        return lastStatus === 'STOPPED' ? (stoppedReason ?? 'no reason') : undefined;
      });
      return ended;
    },
  },
  {
    name: 'buys a host for a task that finds none, and lets it go again',
    needs: 'instances',
    async run(smoke) {
      const { stack } = smoke;
      const began = Date.now();
      const cluster = stack.outputs.ClusterName;
      const task = await startTask(smoke, 'bought', untilStopped);
      await waitUntilTasksRunning({ client: smoke.wire, maxWaitTime: 600, minDelay: 1 }, awaited(smoke, task));
      const after = seconds(began);
      const { task: running } = await stack.client.call('GetTask', { cluster, task: task.taskArn });
      await smoke.wire.send(new StopTaskCommand({ cluster, task: task.taskArn, reason: 'enough' }));
      await eventually('the end of the host that was bought', 10 * 60, async () => {
        const { hosts } = await stack.client.call('GetHosts', { cluster });
        return hosts.every(({ status }) => status === 'INACTIVE') ? 'ended' : undefined;
      });
      return `${running.hostName} was bought, and RUNNING came after ${after}`;
    },
  },
];

/** As process 1, `sleep` alone would not hear SIGTERM. */
const untilStopped = ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'];
const neverThere = '0'.repeat(32);
const seconds = (began: number): string => `${((Date.now() - began) / 1000).toFixed(1)} s`;

async function eventually<T>(what: string, timeoutSeconds: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + timeoutSeconds * 1000; Date.now() < end; await delay(1000)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not come within ${timeoutSeconds} s`);
}

async function startTask(
  { site, stack, wire }: Smoke,
  family: string,
  command: string[],
  networkMode: 'bridge' | 'host' = 'bridge',
): Promise<Task & { taskArn: string }> {
  const containerDefinitions = [{ name: 'main', image: site.image, memory: 64, command }];
  const { taskDefinition } = await wire.send(
    new RegisterTaskDefinitionCommand({ family, networkMode, containerDefinitions }),
  );
  const { tasks = [], failures = [] } = await wire.send(
    new RunTaskCommand({ cluster: stack.outputs.ClusterName, taskDefinition: taskDefinition?.taskDefinitionArn }),
  );
  const [task] = tasks;
  if (task?.taskArn === undefined) throw new Error(`the task was not placed: ${JSON.stringify(failures)}`);
  return { ...task, taskArn: task.taskArn };
}

const awaited = ({ stack }: Smoke, { taskArn }: { readonly taskArn: string }) => ({
  cluster: stack.outputs.ClusterName,
  tasks: [taskArn],
});

async function describe(smoke: Smoke, taskArn: string): Promise<Task> {
  const { tasks = [] } = await smoke.wire.send(new DescribeTasksCommand(awaited(smoke, { taskArn })));
  return there(tasks[0], `the task ${taskArn}`);
}
