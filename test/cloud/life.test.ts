/** The synthesized control plane at work: clients by IAM and by Gantry's keys, hosts, wake-ups, events, and no right too few. */
import { DescribeTasksCommand, ECSClient, ListClustersCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../client/signer.ts';
import { whenTask } from '../e2e/when-task.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { eventually, patience } from './patience.ts';
import { connected, startHost, type TestHost } from './test-host.ts';

describe('the control plane of the AWS shape', patience, () => {
  let cloud: AwsCloud;
  let host: TestHost;

  beforeAll(async () => {
    cloud = await startAwsCloud();
    host = await startHost(cloud, 'host-1');
    await connected(cloud, 'host-1');
    await cloud.client.call('RegisterTaskDefinition', {
      family: 'runs',
      containerDefinitions: [{ name: 'main', image: 'busybox', memory: 64, command: fakeCommands.runsUntilStopped }],
    });
  }, patience.timeout);

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await cloud?.[Symbol.asyncDispose]();
  }, patience.timeout);

  it('runs a task on a host that is woken over the WebSocket API, and tells the event bus of it', async () => {
    const [sockets] = cloud.world.webSocketApis.values();
    await eventually(() => expect(sockets?.connectionIds).toHaveLength(1));
    const posted = sockets?.posted ?? 0;
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'runs' });
    const task = tasks[0]?.taskArn ?? '';
    expect((await whenTask(cloud.client, 'running', task)).lastStatus).toBe('RUNNING');
    expect(sockets?.posted).toBeGreaterThan(posted);
    await cloud.client.call('StopTask', { cluster: 'default', task, reason: 'enough' });
    expect(await whenTask(cloud.client, 'stopped', task)).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
    });
    await eventually(() => {
      const statuses = cloud.world.buses.events
        .filter(({ resources }) => resources.includes(task))
        .map(({ detail }) => detail.lastStatus);
      expect(statuses).toContain('RUNNING');
      expect(statuses.at(-1)).toBe('STOPPED');
    });
    const { events } = await cloud.client.call('ListEvents', { task });
    expect(events[0]).toMatchObject({ kind: 'task', detail: { lastStatus: 'STOPPED', stoppedReason: 'enough' } });
  });

  it('writes down what it refuses, for its list and for the event bus', async () => {
    const tooMuch = { taskDefinition: 'runs', launchType: 'EC2', overrides: { memory: '10000000' } };
    const { failures } = await cloud.client.call('RunTask', tooMuch);
    expect(failures).toHaveLength(1);
    const { events } = await cloud.client.call('ListEvents', { kind: ['refusal'] });
    expect(events).toMatchObject([{ detail: { operation: 'RunTask', refused: 1, failures } }]);
    await eventually(() =>
      expect(cloud.world.buses.events.map(({ detail }) => detail)).toContainEqual(events[0]?.detail),
    );
  });

  it('serves an unmodified ECS client behind CloudFront, which renames the header that API Gateway refuses', async () => {
    const credentials = await cloud.wireKey();
    const ecs = new ECSClient({ endpoint: cloud.wireEndpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    const { tasks = [] } = await ecs.send(new RunTaskCommand({ taskDefinition: 'runs', startedBy: 'a-client' }));
    const described = await ecs.send(new DescribeTasksCommand({ tasks: tasks.map(({ taskArn = '' }) => taskArn) }));
    expect(described.tasks).toMatchObject([{ startedBy: 'a-client' }]);
    const wrong = new ECSClient({
      endpoint: cloud.wireEndpoint,
      region: 'us-east-1',
      credentials: { ...credentials, secretAccessKey: 'x' },
      maxAttempts: 1,
    });
    await expect(wrong.send(new ListClustersCommand({}))).rejects.toMatchObject({ name: 'InvalidSignatureException' });
    const direct = new ECSClient({ endpoint: cloud.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    await expect(direct.send(new ListClustersCommand({}))).rejects.toThrow();
    for (const client of [ecs, wrong, direct]) client.destroy();
  });

  it('says what to do where it has no stream', async () => {
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'runs' });
    const path = `/v1/clusters/default/tasks/${tasks[0]?.taskArn.split('/').at(-1)}`;
    const sign = createSigner(cloud.endpoint, {
      region: cloud.region,
      credentials: cloud.administrator,
      signingService: 'execute-api',
    });
    for (const [stream, hint] of [
      ['watch', 'wait=changed'],
      ['logs', 'GetTask'],
    ] as const) {
      const url = new URL(`${path}/${stream}`, cloud.endpoint);
      const response = await fetch(url, { headers: await sign({ method: 'GET', url, body: undefined }) });
      expect(await response.json()).toMatchObject({
        code: 'UnsupportedFeatureException',
        hint: expect.stringContaining(hint),
      });
    }
  });

  it('sends webhooks what happened, and nothing to where only the functions reach', async () => {
    const { webhook } = await cloud.client.call('CreateWebhook', { url: 'https://localhost/', kind: ['task'] });
    await cloud.client.call('RunTask', { taskDefinition: 'runs' });
    const sweeping = cloud.sweep();
    const named = { webhook: webhook.webhookId };
    await eventually(async () => {
      const seen = await cloud.client.call('GetWebhook', named);
      expect(seen.webhook).toMatchObject({
        failures: 1,
        lastFailureReason: expect.stringMatching(/^localhost is .*not public$/),
      });
    });
    // Else the sweep would try it again.
    await cloud.client.call('DeleteWebhook', named);
    await sweeping;
  });

  it('gives no function a right too few, and calls no service that is not there', async () => {
    await cloud.sweep();
    expect(cloud.world.identities.denials).toEqual([]);
    expect(cloud.world.unknownCalls).toEqual([]);
    const failed = [...cloud.world.functions.values()].flatMap(({ config, invocations }) =>
      invocations.filter(({ outcome }) => outcome !== 'answered').map(({ outcome }) => `${config.name} ${outcome}`),
    );
    expect(failed).toEqual([]);
    expect([...cloud.world.queues.values()].flat()).toEqual([]);
  });
});
