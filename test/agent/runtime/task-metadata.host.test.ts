/** What containers learn of their task at ECS' task metadata endpoint, asked from inside, by other tasks and by others; and by OpenTelemetry. */
import { randomBytes } from 'node:crypto';
import { execPath } from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { parseSubnet } from '../../../agent/network/addresses.ts';
import {
  createHostNamespace,
  removeHostNamespace,
  removeMachineBridge,
} from '../../../agent/network/host-namespace.ts';
import { containerNetns, netnsPath } from '../../../agent/network/names.ts';
import { runTool } from '../../../agent/network/tool.ts';
import type { TaskSpec } from '../../../core/model/task-spec.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { agentDirectory, startAgent } from '../../support/test-agent.ts';
import { firewallLines, reach, testNetwork } from '../network/network-peers.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';
import { linesOf } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

/** Asks all four once the agent knows that the container runs, one line an answer, and then goes on. */
const asks = `
  until wget -qO- $ECS_CONTAINER_METADATA_URI_V4 2>/dev/null | grep -q StartedAt; do sleep 0.05; done
  for path in "" /task /stats /task/stats; do wget -qO- $ECS_CONTAINER_METADATA_URI_V4$path; echo; done
  env | grep -E '^(AWS_|ECS_)' | sort; echo asked
  trap "exit 0" TERM; while :; do sleep 0.05; done`;

/** One line a URL. */
const fetchScript = `
  for (const url of process.argv.slice(1)) {
    await fetch(url)
      .then(async (answer) => console.log(answer.status + ' ' + await answer.text()), (error) => console.log(String(error.cause ?? error)));
  }`;

const detectScript = `
  import('@opentelemetry/resource-detector-aws').then(async ({ awsEcsDetector }) => {
    const attributes = Object.entries(awsEcsDetector.detect().attributes);
    const known = await Promise.all(attributes.map(async ([name, value]) => [name, await value]));
    console.log(JSON.stringify(Object.fromEntries(known)));
  })`;

/** Of each `<status> <body>`, or the error. */
async function ask(netns: string | undefined, ...urls: string[]): Promise<string[]> {
  const answers = await runTool(execPath, ['--input-type=module', '-e', fetchScript, '--', ...urls], { netns });
  return answers.trim().split('\n');
}

const jsonOf = (answer: string | undefined): unknown => {
  const [, status, body = ''] = /^(\d+) (.*)$/.exec(answer ?? '') ?? [];
  expect(status, answer).toBe('200');
  return JSON.parse(body);
};

describeWithContainers('the task metadata endpoint', () => {
  const stack = new AsyncDisposableStack();
  let machine: RealMachine;
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
  });
  afterAll(() => stack.disposeAsync());

  /** An agent that runs on a real host; another is started by calling it again. */
  async function agentOn(host: RealHost, controlPlane: FakeControlPlane, directory: string) {
    const runtime = await host.reopen();
    const agent = await startAgent({
      directory,
      host: { open: async () => runtime },
      controlPlane,
      clock: systemClock,
      name: host.config.namespace,
    });
    return {
      async [Symbol.asyncDispose]() {
        await agent.stop();
        await runtime.close();
      },
    };
  }

  const task = (networkMode: TaskSpec['networkMode'], names: readonly string[], script = asks): TaskSpec =>
    taskSpec({
      taskId: randomBytes(16).toString('hex'),
      networkMode,
      family: 'curltest',
      revision: 24,
      containers: names.map((name) =>
        containerSpec({ name, image: machine.image, entryPoint: [], command: ['sh', '-c', script], memoryMib: 32 }),
      ),
    });

  /** What its container wrote until it had asked all. */
  async function answersOf(host: RealHost, taskId: string, container: string) {
    const lines = async () => (await linesOf(host.runtime, taskId, { container })).map(({ text }) => text);
    await expect.poll(lines, { timeout: 10_000 }).toContain('asked');
    const [own, ofTask, stats, taskStats, ...environment] = await lines();
    const parsed = [own, ofTask, stats, taskStats].map((line): unknown => JSON.parse(line ?? ''));
    const uri = environment.find((line) => line.startsWith('ECS_CONTAINER_METADATA_URI_V4='))?.split('=')[1] ?? '';
    return { parsed, environment, uri };
  }

  /** Where the host's firewall leads its tasks. */
  async function listenerOf({ config: { network } }: RealHost): Promise<string> {
    const rules = await firewallLines(network.chainPrefix, network.netns);
    const rule = rules.find((line) => line.includes('-METADATA -i')) ?? '';
    return /--to-destination (\S+)/.exec(rule)?.[1] ?? '';
  }

  const placeOf = (host: RealHost, taskId: string, container: string) =>
    netnsPath(containerNetns(host.config.namespace, taskId, container));

  it('tells a task of itself, also after the agent was replaced, and nobody else', async () => {
    await using controlPlane = await FakeControlPlane.open();
    await using host = await machine.host();
    using directory = agentDirectory();
    const spec = task('bridge', ['curl', 'side']);
    const other = task('bridge', ['main'], 'trap "exit 0" TERM; while :; do sleep 0.05; done');
    {
      await using _agent = await agentOn(host, controlPlane, directory.path);
      controlPlane.run(spec);
      controlPlane.run(other);
      await controlPlane.untilStatus(spec.taskId, 'RUNNING');
      await controlPlane.untilStatus(other.taskId, 'RUNNING');
      const { parsed, environment, uri } = await answersOf(host, spec.taskId, 'curl');
      expect(environment).toEqual(['AWS_EXECUTION_ENV=AWS_ECS_EC2', `ECS_CONTAINER_METADATA_URI_V4=${uri}`, 'asked']);
      expect(uri).toMatch(/^http:\/\/169\.254\.170\.2\/v4\/[0-9a-f]{32}$/);
      const [own, ofTask, stats, taskStats] = parsed;
      const dockerId = expect.stringMatching(/^[0-9a-f]{64}$/);
      expect(own).toEqual({
        DockerId: dockerId,
        Name: 'curl',
        DockerName: expect.stringMatching(/^ecs-curltest-24-curl-/),
        Image: machine.image,
        ImageID: expect.stringMatching(/^sha256:/),
        Labels: {},
        DesiredStatus: 'RUNNING',
        KnownStatus: 'RUNNING',
        Limits: { CPU: 0, Memory: 32 },
        CreatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        StartedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        Type: 'NORMAL',
        LogDriver: 'json-file',
        LogOptions: {},
        ContainerARN: expect.stringContaining(`:container/default/${spec.taskId}/`),
        Networks: [{ NetworkMode: 'bridge', IPv4Addresses: [expect.stringMatching(/^10\./)] }],
      });
      expect(ofTask).toMatchObject({ TaskARN: spec.taskArn, LaunchType: 'EC2', Containers: [own, { Name: 'side' }] });
      expect(stats).toMatchObject({
        read: expect.any(String),
        cpu_stats: { cpu_usage: { total_usage: expect.any(Number) }, online_cpus: expect.any(Number) },
        precpu_stats: { cpu_usage: { total_usage: 0 } },
        memory_stats: { usage: expect.any(Number), limit: 32 * 1024 * 1024 },
        networks: { eth0: { rx_bytes: expect.any(Number) } },
        id: dockerId,
      });
      // The other container may not have been made yet.
      expect(taskStats).toMatchObject({ [String(Object(own).DockerId)]: { id: dockerId } });
    }

    await using _next = await agentOn(host, controlPlane, directory.path);
    const { uri } = await answersOf(host, spec.taskId, 'curl');
    const [curl, side, stranger] = [
      placeOf(host, spec.taskId, 'curl'),
      placeOf(host, spec.taskId, 'side'),
      placeOf(host, other.taskId, 'main'),
    ];
    const nothing = ['', '00112233445566778899aabbccddeeff'].map((id) => `http://169.254.170.2/v4/${id}`);
    const elsewhere = ['v3/', 'latest/meta-data/', 'v2/credentials/1'].map((path) => `http://169.254.170.2/${path}`);
    const [again, , stats, taskStats, ...others] = await ask(
      curl,
      `${uri}/task`,
      `${uri}/stats`,
      `${uri}/stats?second`,
      `${uri}/task/stats`,
      ...nothing,
      ...elsewhere,
      `${uri}/nothing`,
    );
    expect(jsonOf(again)).toMatchObject({ TaskARN: spec.taskArn, KnownStatus: 'RUNNING' });
    expect(jsonOf(stats)).toMatchObject({
      precpu_stats: { cpu_usage: { total_usage: expect.any(Number) }, system_cpu_usage: expect.any(Number) },
      network_rate_stats: { rx_bytes_per_sec: expect.any(Number) },
    });
    expect(Object.keys(Object(jsonOf(taskStats)))).toHaveLength(2);
    expect(others.map((answer) => answer.slice(0, 4))).toEqual(Array.from({ length: 6 }, () => '404 '));
    expect(await ask(side, uri)).toEqual([expect.stringMatching(/^200 .*"Name":"curl"/)]);
    expect(await ask(stranger, uri)).toEqual([expect.stringMatching(/^404 /)]);
    // Not by the machine itself: neither at ECS' address, which is only led on for tasks, nor where the agent listens.
    const listener = await listenerOf(host);
    expect(listener).toMatch(new RegExp(`^${parseSubnet(host.config.network.subnet).gateway}:\\d+$`));
    expect(await ask(undefined, `http://${listener}${new URL(uri).pathname}`)).toEqual([
      expect.stringMatching(/^404 /),
    ]);
    expect(await reach(undefined, '169.254.170.2', 80, 300)).not.toContain('200');

    const detected = await runTool('env', [`ECS_CONTAINER_METADATA_URI_V4=${uri}`, execPath, '-e', detectScript], {
      netns: curl,
    });
    expect(JSON.parse(detected)).toMatchObject({
      'cloud.platform': 'aws_ecs',
      'cloud.region': 'us-east-1',
      'aws.ecs.task.arn': spec.taskArn,
      'aws.ecs.cluster.arn': 'arn:aws:ecs:us-east-1:000000000000:cluster/default',
      'aws.ecs.launchtype': 'ec2',
      'aws.ecs.task.family': 'curltest',
      'aws.ecs.task.revision': '24',
      'aws.ecs.container.arn': expect.stringContaining(`:container/default/${spec.taskId}/`),
    });
    for (const { taskId } of [spec, other]) controlPlane.stop(taskId);
    for (const { taskId } of [spec, other]) await controlPlane.untilStatus(taskId, 'STOPPED');
  });

  it('is reached in host mode, and has no address where there is no network', async () => {
    await using controlPlane = await FakeControlPlane.open();
    await using host = await machine.host();
    using directory = agentDirectory();
    await using _agent = await agentOn(host, controlPlane, directory.path);
    const spec = task('host', ['curl']);
    const alone = task(
      'none',
      ['main'],
      'env | grep -E "^(AWS_|ECS_)"; echo asked; trap "exit 0" TERM; while :; do sleep 0.05; done',
    );
    for (const each of [spec, alone]) controlPlane.run(each);
    const { parsed, uri } = await answersOf(host, spec.taskId, 'curl');
    expect(parsed[0]).toMatchObject({
      Name: 'curl',
      Networks: [{ NetworkMode: 'host', IPv4Addresses: ['127.0.0.1'] }],
    });
    expect(uri).not.toBe('');
    const lines = async () => (await linesOf(host.runtime, alone.taskId)).map(({ text }) => text);
    await expect.poll(lines, { timeout: 5000 }).toEqual(['AWS_EXECUTION_ENV=AWS_ECS_EC2', 'asked']);
    for (const { taskId } of [spec, alone]) controlPlane.stop(taskId);
    for (const { taskId } of [spec, alone]) await controlPlane.untilStatus(taskId, 'STOPPED');
  });

  it('is each host’s own where hosts are network namespaces', async () => {
    await using controlPlane = await FakeControlPlane.open();
    const { bridge, subnet } = testNetwork(3);
    const prefix = subnet.split('.').slice(0, 3).join('.');
    const namespace = { name: `${bridge}-h`, bridge: `${bridge}m`, address: `${prefix}.2`, gateway: `${prefix}.1/24` };
    await using own = new AsyncDisposableStack();
    own.defer(async () => {
      await removeHostNamespace(namespace.name);
      await removeMachineBridge(namespace.bridge);
    });
    await createHostNamespace(namespace);
    const host = own.use(await machine.host({ netns: netnsPath(namespace.name), hostAddress: namespace.address }));
    using directory = agentDirectory();
    await using _agent = await agentOn(host, controlPlane, directory.path);
    const specs = [task('bridge', ['curl']), task('host', ['curl'])];
    for (const spec of specs) controlPlane.run(spec);
    const uris: string[] = [];
    for (const spec of specs) {
      const { parsed, uri } = await answersOf(host, spec.taskId, 'curl');
      expect(parsed[1]).toMatchObject({ TaskARN: spec.taskArn, KnownStatus: 'RUNNING' });
      uris.push(uri);
    }
    const asked = await ask(placeOf(host, specs[0]?.taskId ?? '', 'curl'), uris[1] ?? '');
    expect(asked, 'the other task').toEqual([expect.stringMatching(/^404 /)]);
    // From the machine, by the host's address and whatever port its agent has: only published ports are there.
    const port = Number((await listenerOf(host)).split(':')[1]);
    expect(await reach(undefined, namespace.address, port, 300)).toMatch(/ECONNREFUSED|timeout/);
    for (const { taskId } of specs) controlPlane.stop(taskId);
    for (const { taskId } of specs) await controlPlane.untilStatus(taskId, 'STOPPED');
  });
});
