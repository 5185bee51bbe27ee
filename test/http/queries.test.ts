/** Expressions of the cluster query language as clients send them: AWS' own over the wire, and REST. */
import { ListContainerInstancesCommand, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api-server.ts';

describe('an expression', () => {
  it("goes through AWS' client in a definition, a request and a filter", async () => {
    await using api = await startApi();
    const ecs = api.ecs();
    await api.host({ name: 'dev', attributes: { stack: 'dev' } });
    const prod = await api.host({ name: 'prod', attributes: { stack: 'prod' } });
    const memberOf = (expression: string) => [{ type: 'memberOf' as const, expression }];
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'job',
        containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
        placementConstraints: memberOf('attribute:stack exists'),
      }),
    );
    expect(taskDefinition?.placementConstraints).toEqual(memberOf('attribute:stack exists'));
    const run = (expression: string) =>
      ecs.send(
        new RunTaskCommand({ taskDefinition: 'job', launchType: 'EC2', placementConstraints: memberOf(expression) }),
      );
    const { tasks } = await run("attribute:stack matches 'pro.' && agentConnected == true");
    expect(tasks?.[0]?.containerInstanceArn).toContain(prod.hostId);
    expect((await run('attribute:stack == none')).failures).toMatchObject([
      { reason: 'MemberOf placement constraint unsatisfied.' },
    ]);
    await expect(run('attribute:stack = prod')).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining('placementConstraints[0].expression, column 17: expected an operator'),
    });
    const list = (filter: string) => ecs.send(new ListContainerInstancesCommand({ filter }));
    expect((await list('task:group == family:job')).containerInstanceArns).toEqual([
      expect.stringContaining(prod.hostId),
    ]);
    await expect(list('task:group ==')).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining('filter, column 14: expected a value, found the end'),
    });
  });

  it('goes through REST in a query', async () => {
    await using api = await startApi();
    await api.host({ name: 'dev', attributes: { stack: 'dev' } });
    await api.host({ name: 'prod', attributes: { stack: 'prod' } });
    const get = (filter: string) => api.rest('GET', `/v1/clusters/default/hosts?filter=${encodeURIComponent(filter)}`);
    expect((await get('attribute:stack in [prod, "test"]')).body).toMatchObject({ hosts: [{ hostName: 'prod' }] });
    expect(await get('attribute:stack in prod')).toMatchObject({
      status: 400,
      body: { code: 'InvalidParameterException', field: 'filter' },
    });
  });
});
