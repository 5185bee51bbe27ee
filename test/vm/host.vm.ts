/**
 * A host that joined by `gantry join`, on a machine with systemd and cgroup v2 of its own: it runs tasks, its agent and containerd are
 * restarted and killed under them, and its power is cut while tasks run, start and stop. In that order: each test begins where the one
 * before ended.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TaskView, whenTask } from '../e2e/when-task.ts';
import { hostName, type JoinedHost, makeJoinedHost } from './joined-host.ts';
import { chance } from './state-disk.ts';

const patient = { timeout: 240_000, interval: 500 };
const untilStopped = 'trap "exit 0" TERM; echo ready; sleep 100000 & wait';
/** Changes of the seed change which sectors are lost. */
const seed = 20261130;
/** Short tasks that come and go while the power is cut. */
const coming = 2;
const mib = 2 ** 20;

describe('a host that joined', () => {
  const stack = new AsyncDisposableStack();
  let host: JoinedHost;
  let arn: string;
  const services: TaskView[] = [];

  beforeAll(async () => {
    host = stack.use(await makeJoinedHost());
    await host.firstBoot();
  });
  beforeEach(({ onTestFailed }) => onTestFailed(() => host?.machine.tellConsole()));
  afterAll(() => stack.disposeAsync());

  const say = (line: string) => host.machine.say(line);
  const call: JoinedHost['client']['call'] = (...args) => host.client.call(...args);
  const whenStopped = (task: string) => whenTask(host.client, 'stopped', task);
  const whenRunning = (task: string) => whenTask(host.client, 'running', task);
  const theHost = async () => (await call('GetHost', { cluster: 'default', host: hostName })).host;
  const connected = () =>
    vi.waitFor(async () => expect(await theHost()).toMatchObject({ status: 'ACTIVE', agentConnected: true }), patient);

  async function start(command: string, definition: object = {}, image = host.busybox): Promise<string> {
    const container = { name: 'main', image, memory: 32, command: ['sh', '-c', command] };
    const registered = { family: 'task', networkMode: 'bridge', containerDefinitions: [container], ...definition };
    const { taskDefinition } = await call('RegisterTaskDefinition', registered);
    const { tasks } = await call('RunTask', { taskDefinition: taskDefinition.taskDefinitionArn });
    return tasks[0]?.taskArn ?? expect.fail('no task');
  }

  it('joins by a token', async () => {
    await host.join();
    await connected();
    arn = (await theHost()).containerInstanceArn;
    say('the host has joined');
  });

  it('runs tasks to their ends: exit codes, a kill for want of memory, and what they said', async () => {
    const [well, badly, greedy] = await Promise.all([
      start('echo to stdout; echo to stderr >&2; exit 0'),
      start('exit 7'),
      start('dd if=/dev/zero of=/dev/null bs=128M count=1'),
    ]);
    expect(await whenStopped(well)).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ exitCode: 0 }],
    });
    expect((await whenStopped(badly)).containers).toMatchObject([{ exitCode: 7 }]);
    expect((await whenStopped(greedy)).containers).toMatchObject([
      { exitCode: 137, reason: expect.stringMatching(/^OutOfMemoryError/) },
    ]);
    const lines: string[] = [];
    for await (const { text } of host.client.logs({ cluster: 'default', task: well })) lines.push(text);
    expect(lines.toSorted()).toEqual(['to stderr', 'to stdout']);
    say('tasks have run to their ends');
  });

  it('runs services, with the limits that they asked for', async () => {
    const limits = { cpu: '512', memory: '64' };
    const tasks = await Promise.all([start(untilStopped, limits), start(untilStopped, limits)]);
    for (const task of tasks) services.push(await whenRunning(task));
    for (const { taskArn } of services) {
      const group = `/sys/fs/cgroup/gantry/${taskArn.split('/').at(-1)}`;
      const read = await host.machine.sh(`cd ${group}; cat memory.max cpu.max pids.max cpu.weight */memory.max`);
      expect(read.split('\n')).toEqual([`${64 * mib}`, '50000 100000', '4096', '20', `${32 * mib}`]);
    }
    say('services run');
  });

  it.each([
    'systemctl restart gantry-agent',
    'systemctl kill --signal KILL gantry-agent',
    'systemctl restart gantry-containerd',
    'systemctl kill --kill-who main --signal KILL gantry-containerd',
  ])('leaves containers running through %s', async (command) => {
    const processes = () => host.machine.sh('pgrep -x sleep | sort');
    const before = await processes();
    const { agentInstance } = await agentOf();
    await host.machine.sh(command);
    // Another agent has said hello, where it was the agent.
    if (command.includes('gantry-agent'))
      await vi.waitFor(async () => expect((await agentOf()).agentInstance).not.toBe(agentInstance), patient);
    await connected();
    expect(await processes()).toBe(before);
    // The agent can still start and end one.
    expect((await whenStopped(await start('exit 3'))).containers).toMatchObject([{ exitCode: 3 }]);
    for (const { taskArn, startedAt } of services)
      expect((await call('GetTask', { cluster: 'default', task: taskArn })).task).toMatchObject({
        lastStatus: 'RUNNING',
        startedAt,
      });
    say(`services have run through ${command}`);
  });

  const startFresh = () => start(host.fresh.command, {}, host.fresh.image);

  const agentOf = async () => ({
    agentInstance: await host.machine.sh('systemctl show --property ExecMainPID --value gantry-agent'),
  });

  it('comes back from a power cut as the same host, and tells the truth about every task', async () => {
    const known = new Map<string, number>();
    const asked = new Map<string, number>();
    const end = new AbortController();
    let begun = 0;
    const work = async (): Promise<void> => {
      while (!end.signal.aborted) {
        const code = begun++ % 100;
        const task = await start(`exit ${code}`);
        asked.set(task, code);
        const { task: seen } = await call('GetTask', { cluster: 'default', task, wait: 'stopped', timeout: 20 });
        const exitCode = seen.containers[0]?.exitCode;
        if (seen.lastStatus === 'STOPPED' && exitCode !== undefined) known.set(task, exitCode);
      }
    };
    const working = Promise.all(Array.from({ length: coming }, work));
    const enough = () => expect(known.size).toBeGreaterThanOrEqual(5);
    await Promise.race([working, vi.waitFor(enough, patient)]);
    // Of an image that was pulled a moment before. Its layers may be on the disk already: the end of a container can flush it.
    expect((await whenStopped(await startFresh())).containers).toMatchObject([{ exitCode: 0 }]);
    const cut = await host.cutPower(chance(seed));
    say(`the power is cut; of ${cut.unflushed} sectors in the disk's cache ${cut.lost} are lost`);
    end.abort();
    await host.machine.boot();
    await working;
    await connected();
    expect((await theHost()).containerInstanceArn).toBe(arn);
    say('the host is back');
    for (const { taskArn } of services) {
      const task = await whenStopped(taskArn);
      expect(task).toMatchObject({
        stopCode: 'EssentialContainerExited',
        containers: [{ reason: expect.stringMatching(/ContainerVanishedError: the host was restarted/) }],
      });
      expect(task.containers[0]).not.toHaveProperty('exitCode');
    }
    for (const [taskArn, code] of asked) {
      const [container] = (await whenStopped(taskArn)).containers;
      // Those that the cut met have none, and those that had not begun ran afterwards.
      if (known.has(taskArn) || container?.exitCode !== undefined) expect(container?.exitCode).toBe(code);
      else expect(container?.reason).toMatch(/the host was restarted/);
    }
    say(`${asked.size} tasks came and went about the cut; ${known.size} were known to have ended before`);
  });

  it('has nothing left of its life before', async () => {
    await vi.waitFor(async () => expect(await host.remains()).toEqual([]), patient);
    expect(await theHost()).toMatchObject({ remainingResources: (await theHost()).registeredResources });
  });

  it('runs new tasks, also of the image that it had just pulled', async () => {
    expect((await whenStopped(await startFresh())).containers).toMatchObject([{ exitCode: 0 }]);
    expect((await whenStopped(await start('exit 4'))).containers).toMatchObject([{ exitCode: 4 }]);
    const task = await whenRunning(await start(untilStopped));
    await call('StopTask', { cluster: 'default', task: task.taskArn });
    expect((await whenStopped(task.taskArn)).containers).toMatchObject([{ exitCode: 0 }]);
  });
});
