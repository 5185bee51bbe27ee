/** Fifty callers at once over HTTP, spread over three control planes on one store, as Lambdas are (docs/consistency.md). */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../control/http/app.ts';
import { noAuthentication } from '../../control/http/auth/authenticator.ts';
import { breaches } from '../control/support/invariants.ts';
import { type StoreKind, startWorld, type World } from '../control/support/world.ts';

const callers = 50;

type Answer = Record<string, unknown>;

/** Calls the operation with each of the requests at once; each control plane gets every third of them. */
async function atOnce(world: World, operation: string, requests: readonly object[]): Promise<Answer[]> {
  const controls = [world.control, await world.another(), await world.another()];
  const apps = controls.map(({ deps, handlers }) =>
    createApi({ deps, handlers, authenticator: noAuthentication(deps.realm.accountId) }),
  );
  const headers = { 'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}` };
  const answers = await Promise.all(
    requests.map(async (request, index) => {
      const body = JSON.stringify(request);
      const response = await apps[index % apps.length]?.request('/', { method: 'POST', headers, body });
      return z.record(z.string(), z.unknown()).parse(await response?.json());
    }),
  );
  for (const { loops } of controls) await loops.idle();
  return answers;
}

const revisionSchema = z.object({ taskDefinition: z.object({ revision: z.number() }) });
const tasksSchema = z.object({ tasks: z.array(z.object({ taskArn: z.string() })) });
const conflictSchema = z.object({ __type: z.literal('ConflictException'), resourceIds: z.array(z.string()) });

describe.each<StoreKind>(['sqlite', 'dynamodb'])('fifty callers at once over %s', (store) => {
  it('with one client token get one set of tasks, and equal answers', async () => {
    await using world = await startWorld({ store });
    await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job', clientToken: 'once', count: 3 };
    const answers = await atOnce(world, 'RunTask', Array(callers).fill(request));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const made = tasksSchema.parse(answers[0]).tasks.map(({ taskArn }) => taskArn);
    expect((await world.call('ListTasks', {})).taskArns).toEqual(made.sort());
    expect(made).toHaveLength(3);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('with one client token for requests of two kinds do the one that was first; the other is a conflict that names it', async () => {
    await using world = await startWorld({ store });
    await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job', clientToken: 'once', count: 2 };
    const requests = Array.from({ length: callers }, (_, index) => ({ ...request, startedBy: `caller-${index % 2}` }));
    const answers = await atOnce(world, 'RunTask', requests);
    const made = (await world.call('ListTasks', {})).taskArns;
    expect(made).toHaveLength(2);
    const done = answers.filter((answer) => !('__type' in answer));
    for (const answer of done)
      expect(
        tasksSchema
          .parse(answer)
          .tasks.map(({ taskArn }) => taskArn)
          .sort(),
      ).toEqual(made);
    expect(done).toHaveLength(callers / 2);
    const refused = answers.filter((answer) => '__type' in answer);
    for (const answer of refused) expect([...conflictSchema.parse(answer).resourceIds].sort()).toEqual(made);
  });

  it('register fifty consecutive revisions of a family', async () => {
    await using world = await startWorld({ store });
    const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64 }];
    const answers = await atOnce(
      world,
      'RegisterTaskDefinition',
      Array(callers).fill({ family: 'job', containerDefinitions }),
    );
    const revisions = answers.map((answer) => revisionSchema.parse(answer).taskDefinition.revision);
    const all = Array.from({ length: callers }, (_, index) => index + 1);
    expect(revisions.toSorted((a, b) => a - b)).toEqual(all);
    const listed = (await world.call('ListTaskDefinitions', { familyPrefix: 'job' })).taskDefinitionArns;
    expect(listed.map((arn) => Number(arn.split(':').at(-1)))).toEqual(all);
  });
});
