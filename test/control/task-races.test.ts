/** RunTask, StopTask and reports of hosts against what ends or changes what they are about in that moment (docs/consistency.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Control } from '../../control/create.ts';
import { hostTasks } from '../../control/store/hosts.ts';
import { getRevisionStatus } from '../../control/store/task-definitions.ts';
import { hostIn, isIdle, Races, stores } from './support/races.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { idOf, type World } from './support/world.ts';

const tasksIn = async (world: World, cluster: string) => (await world.call('GetTasks', { cluster })).tasks;
const arnsOf = (answer: unknown): string[] =>
  (Object(answer).tasks ?? []).map(({ taskArn: arn }: { taskArn: string }) => arn).sort();

const run =
  (world: World, members: object = {}) =>
  (control: Control, cluster: string) =>
    world.call('RunTask', { cluster, taskDefinition: 'job', launchType: 'EC2', count: 2, ...members }, { control });

/** A host with one task, which has been fetched and started; nothing of it is reported. */
async function started(world: World, cluster: string): Promise<{ host: ScriptedHost; id: string }> {
  const host = await hostIn(world, cluster);
  const id = idOf((await run(world, { count: 1 })(world.control, cluster)).tasks[0]?.taskArn);
  await host.fetch();
  host.start(id);
  return { host, id };
}

/** The report that the host has not sent yet. */
const report = (host: ScriptedHost) => (control: Control) => {
  host.control = control;
  return host.report();
};

describe.each(stores)('over %s', (store, strides) => {
  let races: Races;
  beforeAll(async () => {
    races = await Races.start(store, strides);
  });
  afterAll(() => races[Symbol.asyncDispose]());

  describe('RunTask', () => {
    it.each(['RunTask', 'StartTask'] as const)(
      'or StartTask and DRAINING: once that is answered, %s places nothing',
      async (name) => {
        await races.tell({
          given: hostIn,
          calls: ({ hostId }, world) => [
            (control, cluster) =>
              name === 'RunTask'
                ? run(world)(control, cluster)
                : world.call(name, { cluster, taskDefinition: 'job', containerInstances: [hostId] }, { control }),
            async (control, cluster) => {
              const request = { cluster, containerInstances: [hostId], status: 'DRAINING' };
              await world.call('UpdateContainerInstancesState', request, { control });
              return (await hostTasks(world.table, hostId)).length;
            },
          ],
          async holds({ world, ended, answers: [answer, then] }, { hostId }) {
            expect(ended).toEqual(['done', 'done']);
            expect([then, arnsOf(answer).length]).toEqual(Array(2).fill((await hostTasks(world.table, hostId)).length));
          },
        });
      },
    );

    it('and itself with one client token makes its tasks once, and answers them twice', async () => {
      await races.tell({
        given: hostIn,
        calls: (_, world) => [run(world, { clientToken: 't' }), run(world, { clientToken: 't' })],
        async holds({ world, cluster, ended, answers: [one, two] }) {
          expect(ended).toEqual(['done', 'done']);
          expect(arnsOf(one)).toEqual(arnsOf(two));
          expect((await tasksIn(world, cluster)).map((task) => task.taskArn).sort()).toEqual(arnsOf(one));
        },
      });
    });

    it('and another request with the same client token: one of them is a conflict, and has made nothing', async () => {
      await races.tell({
        given: hostIn,
        calls: (_, world) => [run(world, { clientToken: 't' }), run(world, { clientToken: 't', startedBy: 'other' })],
        async holds({ world, cluster, ended, answers: [one, two] }) {
          expect([...ended].sort()).toEqual(['ConflictException', 'done']);
          expect((await tasksIn(world, cluster)).map((task) => task.taskArn).sort()).toEqual(arnsOf(one ?? two));
        },
      });
    });

    if (store === 'dynamodb') return;

    it.each([false, true])(
      'and DeregisterContainerInstance with force %s: no task is left on what is no host',
      async (force) => {
        const outcomes = await races.tell({
          given: hostIn,
          calls: ({ hostId }, world) => [
            run(world),
            (control, cluster) =>
              world.call('DeregisterContainerInstance', { cluster, containerInstance: hostId, force }, { control }),
          ],
          async holds({ world, cluster, ended, answers: [answer] }, { hostId }) {
            const found = await tasksIn(world, cluster);
            expect(found.map((task) => task.taskArn).sort()).toEqual(arnsOf(answer));
            const isGone = ended[1] === 'done';
            expect(isGone).toBe(force || found.length === 0);
            expect(found.every(({ lastStatus }) => (lastStatus === 'STOPPED') === isGone)).toBe(true);
            const { containerInstances } = await world.call('DescribeContainerInstances', {
              cluster,
              containerInstances: [hostId],
            });
            expect(containerInstances[0]?.status).toBe(isGone ? 'INACTIVE' : 'ACTIVE');
            if (isGone)
              expect(containerInstances[0]?.remainingResources).toEqual(containerInstances[0]?.registeredResources);
          },
        });
        expect(outcomes.size).toBeGreaterThan(1);
      },
    );

    it('and DeregisterTaskDefinition: it is refused, or its tasks run', async () => {
      const outcomes = await races.tell({
        given: async (world, cluster) => {
          await world.register(cluster, { memory: 100 });
          return hostIn(world, cluster);
        },
        calls: (_, world) => [
          (control, cluster) => run(world, { taskDefinition: cluster })(control, cluster),
          (control, cluster) => world.call('DeregisterTaskDefinition', { taskDefinition: `${cluster}:1` }, { control }),
        ],
        async holds({ world, cluster, ended, answers: [answer] }, host) {
          expect(ended[1]).toBe('done');
          expect(arnsOf(answer)).toHaveLength(ended[0] === 'done' ? 2 : 0);
          await host.obey();
          expect((await tasksIn(world, cluster)).map(({ lastStatus }) => lastStatus)).toEqual(
            ended[0] === 'done' ? ['RUNNING', 'RUNNING'] : [],
          );
          const after = run(world, { taskDefinition: cluster })(world.control, cluster);
          await expect(after).rejects.toMatchObject({ code: 'ClientException' });
        },
      });
      expect([...outcomes.keys()].sort()).toEqual(['ClientException / done', 'done / done']);
    });

    it('and the deletion of its revision: it is refused, or its tasks run and are told of', async () => {
      await races.tell({
        given: async (world, cluster) => {
          await world.register(cluster, { memory: 100 });
          return hostIn(world, cluster);
        },
        calls: (_, world) => [
          (control, cluster) => run(world, { taskDefinition: cluster })(control, cluster),
          async (control, cluster) => {
            const taskDefinition = `${cluster}:1`;
            await world.call('DeregisterTaskDefinition', { taskDefinition }, { control });
            await world.call('DeleteTaskDefinitions', { taskDefinitions: [taskDefinition] }, { control });
          },
        ],
        async holds({ world, cluster, ended, answers: [answer] }, host) {
          expect(ended[1]).toBe('done');
          await host.obey();
          const found = await tasksIn(world, cluster);
          expect(found.map((task) => task.taskArn).sort()).toEqual(arnsOf(answer));
          const status = await getRevisionStatus(world.table, { family: cluster, revision: 1 });
          expect(status?.status).toBe('DELETE_IN_PROGRESS');
          expect(found.every(({ lastStatus, containers }) => lastStatus === 'RUNNING' && containers.length === 1)).toBe(
            true,
          );
        },
      });
    });

    it('and PutAttributes: once that is answered, nothing is placed by the value of before', async () => {
      const expression = 'attribute:stack == prod';
      await races.tell({
        given: async (world, cluster) => {
          const host = await hostIn(world, cluster);
          const attributes = [{ name: 'stack', value: 'prod', targetId: host.hostId }];
          await world.call('PutAttributes', { cluster, attributes });
          return host;
        },
        calls: ({ hostId }, world) => [
          run(world, { placementConstraints: [{ type: 'memberOf', expression }] }),
          async (control, cluster) => {
            const attributes = [{ name: 'stack', value: 'dev', targetId: hostId }];
            await world.call('PutAttributes', { cluster, attributes }, { control });
            return (await hostTasks(world.table, hostId)).length;
          },
        ],
        async holds({ world, ended, answers: [answer, then] }, { hostId }) {
          expect(ended).toEqual(['done', 'done']);
          expect([then, arnsOf(answer).length]).toEqual(Array(2).fill((await hostTasks(world.table, hostId)).length));
        },
      });
    });
  });

  describe('a task that somebody stops', () => {
    const stop = (world: World, id: string) => (control: Control, cluster: string) =>
      world.call('StopTask', { cluster, task: id, reason: 'enough' }, { control });

    /** However it came about: it has stopped, its host has nothing of it any more, and has given back what it held once. */
    async function hasStopped(world: World, cluster: string, host: ScriptedHost): Promise<string | undefined> {
      host.control = world.control;
      await host.obey();
      const [task] = await tasksIn(world, cluster);
      expect([task?.lastStatus, task?.desiredStatus, host.tasks.size]).toEqual(['STOPPED', 'STOPPED', 0]);
      expect(await isIdle(world, cluster)).toBe(true);
      return task?.stoppedReason;
    }

    it('while its host says that it has ended', async () => {
      await races.tell({
        given: async (world, cluster) => {
          const given = await started(world, cluster);
          given.host.end(given.id);
          return given;
        },
        calls: ({ host, id }, world) => [stop(world, id), report(host)],
        async holds({ world, cluster, ended }, { host }) {
          expect(ended).toEqual(['done', 'done']);
          expect(['enough', 'Essential container in task exited']).toContain(await hasStopped(world, cluster, host));
        },
      });
    });

    if (store === 'dynamodb') return;

    it('while its host says that it runs', async () => {
      await races.tell({
        given: started,
        calls: ({ host, id }, world) => [stop(world, id), report(host)],
        async holds({ world, cluster, ended }, { host }) {
          expect(ended).toEqual(['done', 'done']);
          expect(await hasStopped(world, cluster, host)).toBe('enough');
        },
      });
    });

    it('while a host is found for it', async () => {
      await races.tell({
        given: async (world, cluster) => {
          const host = await hostIn(world, cluster);
          const state = { cluster, containerInstances: [host.hostId] };
          await world.call('UpdateContainerInstancesState', { ...state, status: 'DRAINING' });
          const waiting = await run(world, { count: 1, launchType: undefined })(world.control, cluster);
          await world.control.loops.idle();
          return { host, state, id: idOf(waiting.tasks[0]?.taskArn) };
        },
        calls: ({ state, id }, world) => [
          async (control) => {
            await world.call('UpdateContainerInstancesState', { ...state, status: 'ACTIVE' }, { control });
            await control.loops.idle();
          },
          stop(world, id),
        ],
        async holds({ world, cluster, ended }, { host }) {
          expect(ended).toEqual(['done', 'done']);
          expect(await hasStopped(world, cluster, host)).toBe('enough');
        },
      });
    });

    it('has no second end where its host is deregistered by force, nor where that says so too', async () => {
      for (const withStop of [true, false])
        await races.tell(
          {
            given: async (world, cluster) => {
              const given = await started(world, cluster);
              if (!withStop) given.host.end(given.id);
              return given;
            },
            calls: ({ host, id }, world) => [
              withStop ? stop(world, id) : report(host),
              (control, cluster) =>
                world.call(
                  'DeregisterContainerInstance',
                  { cluster, containerInstance: host.hostId, force: true },
                  { control },
                ),
            ],
            async holds({ world, cluster, ended }, { host }) {
              expect(ended).toEqual(['done', 'done']);
              const [task] = await tasksIn(world, cluster);
              expect(task?.lastStatus).toBe('STOPPED');
              const references = { cluster, containerInstances: [host.hostId] };
              const [after] = (await world.call('DescribeContainerInstances', references)).containerInstances;
              expect(after?.remainingResources).toEqual(after?.registeredResources);
            },
          },
          { first: strides.first, second: 3 * strides.second },
        );
    });
  });
});
