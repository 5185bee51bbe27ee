/**
 * The life of a host on EC2, on a machine with a kernel, systemd and cgroup v2 of its own: it is installed by the launch template's user
 * data, joins by its role, runs tasks, loses its power and comes back, and ends. In that order: each test begins where the one before
 * ended.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TaskView, whenTask } from '../e2e/when-task.ts';
import { type Ec2Host, makeEc2Host } from './ec2-host.ts';
import { network } from './network.ts';

const began = performance.now();
const say = (line: string): void => {
  process.stdout.write(`[${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
};

const patient = { timeout: 240_000, interval: 500 };

describe('a host on EC2', () => {
  let host: Ec2Host;
  /** Runs until somebody stops it. */
  let service: TaskView;

  beforeAll(async () => {
    host = await makeEc2Host(say);
  });

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      process.stdout.write(`The machine's console, at the end:\n${lastLines(host.guest.consoleLog)}\n`);
    });
  });

  afterAll(() => host?.[Symbol.asyncDispose]());

  const call: Ec2Host['cloud']['client']['call'] = (...args) => host.cloud.client.call(...args);
  const theHost = async () => (await call('GetHosts', { cluster: 'default' })).hosts[0] ?? expect.fail('no host');

  async function inGuest(script: string): Promise<string> {
    const { code, stdout, stderr } = await host.guest.run(script);
    if (code !== 0) throw new Error(`${script} ended with ${code}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  async function run(family: string, definition: object, command: string): Promise<string> {
    const container = { name: 'main', image: host.busybox, memory: 64, command: ['sh', '-c', command] };
    await call('RegisterTaskDefinition', { family, containerDefinitions: [container], ...definition });
    const { tasks, failures } = await call('RunTask', { cluster: 'default', taskDefinition: family });
    expect(failures).toEqual([]);
    return tasks[0]?.taskArn ?? expect.fail('no task');
  }

  it('installs itself by its user data, and joins by its role', async () => {
    await host.guest.powerOn();
    say('the machine is on');
    await vi.waitFor(async () => {
      expect(await theHost()).toMatchObject({ status: 'ACTIVE', agentConnected: true });
    }, patient);
    say('the host has joined');
    expect(await theHost()).toMatchObject({
      ec2InstanceId: host.instanceId,
      hostName: host.instanceId,
      hostAddress: network.guest,
      attributes: expect.arrayContaining([
        { name: 'ecs.instance-type', value: 't3.small' },
        { name: 'ecs.availability-zone', value: 'us-east-1a' },
      ]),
    });
    // Signed as the role, allowed to it, and answered; the updater may have looked at the parameter again since.
    expect(host.services.answered).not.toContainEqual(expect.not.stringMatching(/ 200$/));
    expect(host.services.answered.filter((line) => line.includes('.s3.'))).toHaveLength(1);
    expect(host.metadata.read).toContainEqual(expect.stringMatching(/^meta-data\/iam\/security-credentials\/.+/));
    expect(host.sts.asked).toBeGreaterThan(0);
    expect([...host.front.connections.keys()].filter((name) => name.includes('.execute-api.'))).toHaveLength(2);
    expect(await inGuest('basename $(readlink /opt/gantry/current)')).toBe(host.releaseSha256);
    expect(await inGuest('ls /opt/gantry/current/bin')).toBe('node');
    expect(await inGuest('systemctl is-active gantry-containerd gantry-agent gantry-update.timer | uniq')).toBe(
      'active',
    );
    expect(await inGuest('systemctl is-active containerd || true')).toBe('inactive');
  });

  it('runs a task under cgroup v2, with the limits that it asked for', async () => {
    const task = await run('service', { cpu: '512', memory: '256' }, 'trap "exit 0" TERM; sleep 100000 & wait');
    service = await whenTask(host.cloud.client, 'running', task);
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
    const command = `${connects(network.aws, 443)} || exit 3; ${connects(network.metadata, 80)} && exit 4; exit 0`;
    const task = await whenTask(
      host.cloud.client,
      'stopped',
      await run(`metadata-${networkMode}`, { networkMode }, command),
    );
    expect(task).toMatchObject({ stopCode: 'EssentialContainerExited', containers: [{ exitCode: 0 }] });
    const token = `curl -sf -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' http://${network.metadata}/latest/api/token`;
    expect(await inGuest(token)).toMatch(/^[\w-]{43}$/);
    say(`a task in ${networkMode} mode did not reach instance metadata`);
  });

  it('comes back after a power cut as the same host, and says what became of its task', async () => {
    const before = await theHost();
    const asked = host.services.answered.length;
    await host.guest.cutPower();
    say('the power is cut');
    await host.guest.powerOn();
    say('the machine is on again');
    const task = await whenTask(host.cloud.client, 'stopped', service.taskArn);
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
    expect(host.services.answered.slice(asked).filter((line) => line.includes('.s3.'))).toEqual([]);
    service = await whenTask(host.cloud.client, 'running', await run('service', {}, 'sleep 100000'));
    say('a task runs again');
  });

  it('leaves when its instance is terminated', async () => {
    const { containerInstanceArn } = await theHost();
    await host.tellOfState('shutting-down');
    await host.guest.cutPower();
    await host.tellOfState('terminated');
    const task = await whenTask(host.cloud.client, 'stopped', service.taskArn);
    expect(task).toMatchObject({
      stopCode: 'TerminationNotice',
      stoppedReason: expect.stringContaining(host.instanceId),
    });
    expect((await call('GetHosts', { cluster: 'default' })).hosts).toEqual([]);
    const described = await call('DescribeContainerInstances', { containerInstances: [containerInstanceArn] });
    expect(described.containerInstances).toMatchObject([{ status: 'INACTIVE', agentConnected: false }]);
    say('the host is gone');
  });
});

const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';

/** Of the one group whose path matches: `./path/FILE:VALUE` a line. */
function limitsOf(lines: string, path: RegExp): Record<string, string> {
  const parsed = lines.split('\n').map((line) => /^\.(.*)\/([^/:]+):(.*)$/.exec(line) ?? expect.fail(line));
  const matching = parsed.filter(([, group = '']) => path.test(group));
  return Object.fromEntries(matching.map(([, , file = '', value = '']) => [file, value]));
}

const lastLines = (file: string): string => readFileSync(file, 'utf8').split('\n').slice(-120).join('\n');
