/** What tasks have beyond ECS, as AWS' own client sends and sees it, and over REST. */
import {
  DescribeTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api-server.ts';

const tags = [
  { key: 'gantry:timeout-seconds', value: '60' },
  { key: 'gantry:cpu-limit', value: '0.5 vCPU' },
];
const tasksPath = '/v1/clusters/default/tasks';

describe('a task', () => {
  it("has limits by tags of AWS' client, and is stopped by force by its reason", async () => {
    await using api = await startApi();
    const ecs = api.ecs();
    const host = await api.host();
    const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64 }];
    const wrong = [{ key: 'gantry:timeout-seconds', value: '1 hour' }];
    const register = (given: typeof tags) =>
      ecs.send(new RegisterTaskDefinitionCommand({ family: 'job', containerDefinitions, tags: given }));
    await expect(register(wrong)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining('The tag gantry:timeout-seconds must be 1 to 31536000 seconds; it is "1 hour".'),
    });
    await register(tags);
    const { tasks } = await ecs.send(new RunTaskCommand({ taskDefinition: 'job' }));
    const task = tasks?.[0]?.taskArn ?? '';
    const spec = (await host.fetch())?.tasks[0]?.spec;
    expect(spec).toMatchObject({ timeoutSeconds: 60, cpuLimitUnits: 512 });
    await ecs.send(new StopTaskCommand({ task, reason: 'gantry:force it hangs' }));
    expect((await host.fetch())?.tasks[0]?.desired).toMatchObject({ force: true, reason: 'it hangs' });
    const described = await ecs.send(new DescribeTasksCommand({ tasks: [task] }));
    expect(described.tasks).toMatchObject([{ stopCode: 'UserInitiated', stoppedReason: 'it hangs' }]);
  });

  it('has them by members over REST, and is found by group and tags', async () => {
    await using api = await startApi();
    await api.rest('POST', '/v1/task-definitions', {
      family: 'job',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
    });
    const members = { timeoutSeconds: 60, cpuLimit: '512', group: 'nightly', tags: [{ key: 'team', value: 'a' }] };
    const made = await api.rest('POST', tasksPath, { taskDefinition: 'job', ...members });
    expect(made).toMatchObject({ status: 201, body: { tasks: [{ timeoutSeconds: 60, cpuLimit: '512' }] } });
    const listed = async (query: string) => (await api.rest('GET', `${tasksPath}?${query}`)).body;
    expect(await listed('tag=team%3Da&tag=team&group=nightly')).toMatchObject({ tasks: [{ group: 'nightly' }] });
    expect(await listed('tag=team%3Db')).toMatchObject({ tasks: [] });
    expect(await listed('group=other')).toMatchObject({ tasks: [] });
    expect(await api.rest('POST', tasksPath, { taskDefinition: 'job', timeoutSeconds: 0 })).toMatchObject({
      status: 400,
      body: { code: 'InvalidParameterException', field: 'timeoutSeconds' },
    });
  });
});
