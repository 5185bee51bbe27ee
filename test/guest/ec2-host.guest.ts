/**
 * The life of a host on EC2, on a machine with a kernel, systemd and cgroup v2 of its own: it is bought for tasks that wait, is installed
 * by the launch template's user data, joins by its role, runs tasks, loses its power and comes back, and goes when nothing needs it. In
 * that order: each test begins where the one before ended.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TaskView, whenTask } from '../e2e/when-task.ts';
import type { InstanceTruth } from '../ec2/ec2.ts';
import type { Ec2Host } from './ec2-host.ts';
import { type GuestCloud, poolName, startGuestCloud } from './guest-cloud.ts';
import { network } from './network.ts';

const began = performance.now();
const say = (line: string): void => {
  process.stdout.write(`[${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
};

const patient = { timeout: 240_000, interval: 500 };

describe('a host on EC2', () => {
  let rig: GuestCloud;
  /** The one that is bought. */
  let instance: InstanceTruth;
  let host: Ec2Host;
  /** Wait before there is any host. */
  const waiting: string[] = [];
  /** Runs until somebody stops it. */
  let service: TaskView;

  beforeAll(async () => {
    rig = await startGuestCloud(say);
  });

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      // Also of one that did not come up.
      for (const [instanceId, { guest }] of rig?.hosts ?? [])
        process.stdout.write(`The console of ${instanceId}, at the end:\n${lastLines(guest.consoleLog)}\n`);
    });
  });

  afterAll(() => rig?.[Symbol.asyncDispose]());

  const call: GuestCloud['cloud']['client']['call'] = (...args) => rig.cloud.client.call(...args);
  const whenStopped = (task: string) => whenTask(rig.cloud.client, 'stopped', task);
  const whenRunning = (task: string) => whenTask(rig.cloud.client, 'running', task);
  const hostsNow = async () => (await call('GetHosts', { cluster: 'default' })).hosts;
  const theHost = async () => (await hostsNow())[0] ?? expect.fail('no host');
  /** What was asked of EC2. */
  const asked = (action: string) => rig.ec2.requests.filter((request) => request.action === action);

  async function inGuest(script: string): Promise<string> {
    const { code, stdout, stderr } = await host.guest.run(script);
    if (code !== 0) throw new Error(`${script} ended with ${code}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  async function run(family: string, definition: object, command: string): Promise<string> {
    const container = { name: 'main', image: rig.busybox, memory: 64, command: ['sh', '-c', command] };
    await call('RegisterTaskDefinition', { family, containerDefinitions: [container], ...definition });
    const { tasks, failures } = await call('RunTask', { cluster: 'default', taskDefinition: family });
    expect(failures).toEqual([]);
    return tasks[0]?.taskArn ?? expect.fail('no task');
  }

  it('is bought by CreateFleet for tasks that wait', async () => {
    expect(await hostsNow()).toEqual([]);
    expect(rig.ec2.instances()).toEqual([]);
    waiting.push(await run('ends-well', {}, 'exit 0'), await run('ends-badly', {}, 'exit 7'));
    instance = await vi.waitFor(() => rig.ec2.instances()[0] ?? expect.fail('nothing is bought'), patient);
    say(`${instance.instanceId} is bought, a ${instance.instanceType} in ${instance.zone}`);
    expect(asked('RunInstances')).toEqual([]);
    const [{ params } = expect.fail('no CreateFleet')] = asked('CreateFleet');
    expect(overridesOf(params)).toEqual(
      ['t3.small', 't3a.small'].flatMap((type) => ['us-east-1a', 'us-east-1b'].map((zone) => `${type} ${zone}`)),
    );
    expect(instance).toMatchObject({
      instanceType: 't3a.small',
      lifecycle: 'on-demand',
      tags: { 'gantry:cluster': 'default', 'gantry:capacity-provider': poolName, 'gantry:order': params.ClientToken },
    });
    // The machine is on, or what happened is thrown.
    await rig.ec2.settle();
    say('the machine is on');
    host = rig.hosts.get(instance.instanceId) ?? expect.fail('no machine');
    for (const task of waiting)
      expect((await call('GetTask', { cluster: 'default', task })).task).toMatchObject({
        lastStatus: 'PROVISIONING',
        headline: expect.stringContaining('t3a.small'),
      });
  });

  it('installs itself by its user data, and joins by its role', async () => {
    await vi.waitFor(async () => {
      expect(await theHost()).toMatchObject({ status: 'ACTIVE', agentConnected: true });
    }, patient);
    say('the host has joined');
    expect(await theHost()).toMatchObject({
      ec2InstanceId: instance.instanceId,
      hostName: instance.instanceId,
      hostAddress: instance.privateIp,
      attributes: expect.arrayContaining([
        { name: 'ecs.instance-type', value: instance.instanceType },
        { name: 'ecs.availability-zone', value: instance.zone },
        { name: 'gantry.capacity-provider', value: poolName },
      ]),
    });
    // Signed as the role, allowed to it, and answered; the updater may have looked at the parameter again since.
    expect(host.services.answered).not.toContainEqual(expect.not.stringMatching(/ 200$/));
    expect(host.services.answered.filter((line) => line.includes('.s3.'))).toHaveLength(1);
    expect(host.metadata.read).toContainEqual(expect.stringMatching(/^meta-data\/iam\/security-credentials\/.+/));
    expect(rig.sts.asked).toBeGreaterThan(0);
    expect([...host.front.connections.keys()].filter((name) => name.includes('.execute-api.'))).toHaveLength(2);
    expect(await inGuest('basename $(readlink /opt/gantry/current)')).toBe(host.releaseSha256);
    expect(await inGuest('ls /opt/gantry/current/bin')).toBe('node');
    expect(await inGuest('systemctl is-active gantry-containerd gantry-agent gantry-update.timer | uniq')).toBe(
      'active',
    );
    expect(await inGuest('systemctl is-active containerd || true')).toBe('inactive');
  });

  it('runs the tasks that have waited for it', async () => {
    const { containerInstanceArn } = await theHost();
    for (const [index, exitCode] of [0, 7].entries())
      expect(await whenStopped(waiting[index] ?? '')).toMatchObject({
        containerInstanceArn,
        stopCode: 'EssentialContainerExited',
        containers: [{ exitCode }],
      });
    say('the tasks that waited have ended');
  });

  it('runs a task under cgroup v2, with the limits that it asked for', async () => {
    const task = await run('service', { cpu: '512', memory: '256' }, untilStopped);
    service = await whenRunning(task);
    say('a task runs');
    expect(await inGuest('stat -fc %T /sys/fs/cgroup')).toBe('cgroup2fs');
    const groups = await inGuest('cd /sys/fs/cgroup/gantry && grep -H . $(find . -name cpu.max -o -name memory.max)');
    const id = idOf(service.taskArn);
    // Half a CPU and 256 MiB for the task, and of that 64 MiB for the container.
    expect(limitsOf(groups, new RegExp(`/${id}$`))).toEqual({ 'cpu.max': '50000 100000', 'memory.max': '268435456' });
    expect(limitsOf(groups, new RegExp(`/${id}/[^/]+$`))).toEqual({
      'cpu.max': '50000 100000',
      'memory.max': '67108864',
    });
    const sleeper = await inGuest(`grep -l '${id}' /proc/[0-9]*/cgroup | head -n 1 | xargs cat`);
    expect(sleeper).toMatch(new RegExp(`^0::/gantry/.*${id}`));
  });

  it.each(['bridge', 'host'])('keeps tasks in %s mode from instance metadata', async (networkMode) => {
    const connects = (address: string, port: number): string => `nc -w 5 ${address} ${port} -e /bin/true`;
    // What is reachable shows that the command can tell.
    const command = `${connects(network.lent, 443)} || exit 3; ${connects(network.metadata, 80)} && exit 4; exit 0`;
    const task = await whenStopped(await run(`metadata-${networkMode}`, { networkMode }, command));
    expect(task).toMatchObject({ stopCode: 'EssentialContainerExited', containers: [{ exitCode: 0 }] });
    const token = `curl -sf -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' http://${network.metadata}/latest/api/token`;
    expect(await inGuest(token)).toMatch(/^[\w-]{43}$/);
    say(`a task in ${networkMode} mode did not reach instance metadata`);
  });

  it('comes back after a power cut as the same host, and says what became of its task', async () => {
    const before = await theHost();
    const fetchedBefore = host.services.answered.length;
    await host.guest.cutPower();
    say('the power is cut');
    await host.guest.powerOn();
    say('the machine is on again');
    const task = await whenStopped(service.taskArn);
    say('the host says that its task has ended');
    expect(task).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ reason: expect.stringMatching(/ContainerVanishedError: the host was restarted/) }],
    });
    expect(task.containers[0]).not.toHaveProperty('exitCode');
    await vi.waitFor(async () => {
      expect(await theHost()).toMatchObject({
        containerInstanceArn: before.containerInstanceArn,
        status: 'ACTIVE',
        agentConnected: true,
        remainingResources: before.registeredResources,
      });
    }, patient);
    // The release is there: nothing is fetched again.
    expect(host.services.answered.slice(fetchedBefore).filter((line) => line.includes('.s3.'))).toEqual([]);
    service = await whenRunning(await run('service', {}, untilStopped));
    say('a task runs again');
  });

  it('goes when nothing needs it any more, and nothing is left of what was bought', async () => {
    const { containerInstanceArn } = await theHost();
    await call('UpdateCapacityProvider', { name: poolName, gantry: { policy: { idleSeconds: 0 } } });
    await call('StopTask', { cluster: 'default', task: service.taskArn });
    expect(await whenStopped(service.taskArn)).toMatchObject({ containers: [{ exitCode: 0 }] });
    say('its last task has ended');
    const { instanceId, tags } = instance;
    await vi.waitFor(() => expect(rig.ec2.instances()).toMatchObject([{ instanceId, state: 'terminated' }]), patient);
    expect(asked('TerminateInstances').at(-1)?.params).toMatchObject({ 'InstanceId.1': instanceId });
    await rig.ec2.settle();
    expect(() => host.guest.run('true')).toThrow(/is off/);
    say('the machine is off');
    expect(await hostsNow()).toEqual([]);
    const described = await call('DescribeContainerInstances', { containerInstances: [containerInstanceArn] });
    expect(described.containerInstances).toMatchObject([{ status: 'INACTIVE', agentConnected: false }]);
    const changes = () =>
      rig.cloud.world.buses.events.flatMap(({ detail }) =>
        detail.orderId === tags['gantry:order'] ? detail.change : [],
      );
    await vi.waitFor(() => expect(changes()).toContain('closed'), patient);
    expect([...new Set(changes())]).toEqual(['ordered', 'launched', 'joined', 'ending', 'ended', 'closed']);
    expect(await call('GetCapacity', { cluster: 'default' })).toMatchObject({
      providers: [{ name: poolName, hosts: 0, onOrder: [] }],
      waiting: [],
    });
    expect(asked('CreateFleet')).toHaveLength(1);
    expect(rig.cloud.world.identities.denials).toEqual([]);
    expect(rig.cloud.world.unknownCalls).toEqual([]);
  });
});

const untilStopped = 'trap "exit 0" TERM; sleep 100000 & wait';

/** As `TYPE ZONE`. */
function overridesOf(params: Readonly<Record<string, string>>): string[] {
  const types = Object.entries(params).filter(([name]) => /\.Overrides\.\d+\.InstanceType$/.test(name));
  return types.map(([name, type]) => `${type} ${params[name.replace(/InstanceType$/, 'AvailabilityZone')]}`).toSorted();
}

const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';

/** Of the one group whose path matches: `./path/FILE:VALUE` a line. */
function limitsOf(lines: string, path: RegExp): Record<string, string> {
  const parsed = lines.split('\n').map((line) => /^\.(.*)\/([^/:]+):(.*)$/.exec(line) ?? expect.fail(line));
  const matching = parsed.filter(([, group = '']) => path.test(group));
  return Object.fromEntries(matching.map(([, , file = '', value = '']) => [file, value]));
}

const lastLines = (file: string): string =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-120).join('\n') : 'It was never on.';
