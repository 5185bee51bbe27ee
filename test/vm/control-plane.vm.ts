/**
 * A control plane on a machine whose plug is pulled while several callers write: whatever it had answered is there when it comes back, and
 * it goes on. Its store is on a disk that then loses what was not flushed. The host that runs the tasks is this test's own process.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { connected, type HostsCloud, startHost } from '../cloud/test-host.ts';
import { whenTask } from '../e2e/when-task.ts';
import { freePort } from '../support/cloud.ts';
import { fakeCommands } from '../support/fake-runtime.ts';
import { callUntilSilence, countOf, noneYet } from './load.ts';
import { type Machine, makeMachine } from './machine.ts';
import { repositoryInGuest } from './repository-disk.ts';
import { chance, makeStateDisk } from './state-disk.ts';
import type { VolatileDisk } from './volatile-disk.ts';

const options = cloudOptionsSchema.parse({
  listen: '0.0.0.0',
  plainHttp: true,
  readRate: '9999/9999',
  mutationRate: '9999/9999',
});
const paths = cloudPaths(options);
const callers = 4;
/** Changes of the seed change which sectors are lost. */
const seed = 20261130;
const stateMib = 512;

describe('a control plane on a machine that loses its power', () => {
  const stack = new AsyncDisposableStack();
  let machine: Machine;
  let disk: VolatileDisk;
  let client: Client;
  let cloud: HostsCloud;
  const acknowledged = noneYet();

  beforeAll(async () => {
    const port = await freePort();
    machine = stack.use(
      makeMachine({
        name: 'store',
        memoryMib: 1024,
        publishes: [{ port: options.port, loopbackPort: port }],
        disks: (directory) => {
          disk = stack.use(makeStateDisk(directory, stateMib));
          return [disk.drive];
        },
      }),
    );
    await bootServer();
    const credentials = JSON.parse(await machine.sh(`cat ${paths.credentials}`));
    client = createClient({ endpoint: `http://127.0.0.1:${port}`, region: options.region, credentials });
    const { endpoint } = client;
    const joinToken = async (cluster: string) => (await client.call('CreateJoinToken', { cluster })).joinToken;
    cloud = { endpoint, client, joinToken };
    stack.use(await startHost(cloud, 'host-1'));
    await connected(cloud, 'host-1');
    machine.say('the control plane serves, and has a host');
  });
  beforeEach(({ onTestFailed }) => onTestFailed(() => machine?.tellConsole()));
  afterAll(() => stack.disposeAsync());

  async function bootServer(): Promise<void> {
    await machine.boot();
    await machine.sh(`mkdir -p ${paths.dataDir} ${paths.runDir}; mount /dev/vdc ${paths.dataDir}`);
    if (acknowledged.tasks.length > 0) await checkDatabase();
    await machine.sh(`echo '${JSON.stringify(options)}' >${paths.serverConfig}
systemd-run --quiet --unit=gantry-server --property=StandardOutput=append:${paths.serverLog} --setenv=PATH=$PATH \\
  node --disable-warning=ExperimentalWarning ${repositoryInGuest}/local/server-main.ts ${paths.serverConfig}
until curl -sf http://127.0.0.1:${options.port}/healthz >/dev/null; do
  systemctl -q is-active gantry-server || { tail -n 20 ${paths.serverLog} >&2; exit 1; }
  sleep 0.5
done`);
  }

  /** As the cut left it, before the server touches it. */
  async function checkDatabase(): Promise<void> {
    const script =
      `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync("${paths.database}"); ` +
      'console.log(JSON.stringify(db.prepare("PRAGMA integrity_check").all()))';
    const answer = await machine.sh(`node --disable-warning=ExperimentalWarning -e '${script}'`);
    expect(JSON.parse(answer)).toEqual([{ integrity_check: 'ok' }]);
    machine.say('the database is whole');
  }

  /** Resolves when it has been cut, in the middle of what callers asked after so many acknowledgements. */
  async function cutUnderLoad(round: number, atLeast: number): Promise<void> {
    const before = countOf(acknowledged);
    const enough = Promise.withResolvers<void>();
    const onAnswer = () => {
      if (countOf(acknowledged) - before >= atLeast) enough.resolve();
    };
    const ends = Array.from({ length: callers }, (_, caller) =>
      callUntilSilence(client, {
        family: `caller-${round}-${caller}`,
        command: fakeCommands.runsUntilStopped,
        acknowledged,
        onAnswer,
      }),
    );
    // One that ends before the power does has met what it should not.
    const early = await Promise.race([enough.promise, ...ends]);
    if (early !== undefined) throw early;
    const cut = await disk.cutPower(chance(seed + round));
    await machine.guest.cutPower();
    for (const end of await Promise.all(ends))
      expect(end).toMatchObject({ message: expect.stringContaining('cannot be reached') });
    machine.say(
      `the power is cut after ${countOf(acknowledged) - before} acknowledgements; of ${cut.unflushed} sectors in the disk's cache ${cut.lost} are lost`,
    );
    expect(cut.lost).toBeGreaterThan(0);
  }

  it.each([
    { round: 1, atLeast: 60 },
    { round: 2, atLeast: 100 },
  ])('has everything that it acknowledged, cut $round', async ({ round, atLeast }) => {
    await cutUnderLoad(round, atLeast);
    await bootServer();
    machine.say('the control plane serves again');
    const { revisions, tasks, stops } = acknowledged;
    for (const taskDefinition of revisions) {
      const described = await client.call('DescribeTaskDefinition', { taskDefinition });
      expect(described.taskDefinition).toMatchObject({ taskDefinitionArn: taskDefinition, status: 'ACTIVE' });
    }
    for (const task of tasks) {
      const found = (await client.call('GetTask', { cluster: 'default', task })).task;
      expect(found.taskArn).toBe(task);
      const reason = stops.get(task);
      if (reason !== undefined) expect(found).toMatchObject({ desiredStatus: 'STOPPED', stoppedReason: reason });
    }
    machine.say(`${revisions.length} revisions, ${tasks.length} tasks and ${stops.size} stops are there`);
  });

  it('goes on: its host is back, tasks that were told to stop have stopped, and new ones run', async () => {
    await connected(cloud, 'host-1');
    for (const task of acknowledged.stops.keys())
      expect(await whenTask(client, 'stopped', task)).toMatchObject({ stopCode: 'UserInitiated' });
    const { tasks } = await client.call('RunTask', { taskDefinition: 'caller-2-0' });
    expect((await whenTask(client, 'running', tasks[0]?.taskArn ?? '')).lastStatus).toBe('RUNNING');
  });
});
