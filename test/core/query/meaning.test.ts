import { describe, expect, it } from 'vitest';
import { hostQuery } from '../../../core/query/host-query.ts';
import { askedHost } from './support.ts';

describe('an expression', () => {
  it.each([
    ['attribute:stack == prod', true],
    ['attribute:stack equals prod', true],
    ["attribute:stack == 'prod'", true],
    ['attribute:stack == "prod"', true],
    ['attribute:stack == PROD', false],
    ['attribute:stack==prod', true],
    ['attribute:size == 9.0', false],
    ['attribute:stack != dev', true],
    ['attribute:stack not_equals prod', false],
    ['attribute:size > 10', false],
    ['attribute:size greater_than 8', true],
    ['attribute:size >= 9', true],
    ['attribute:size greater_than_equal 9.5', false],
    ['attribute:size < 10', true],
    ['attribute:size less_than 9', false],
    ['attribute:size <= 9', true],
    ['attribute:size less_than_equal 8', false],
    ['attribute:stack < q', true],
    ['attribute:flag < 1', true],
    ['attribute:stack exists', true],
    ['attribute:flag exists', true],
    ['attribute:other exists', false],
    ['attribute:other !exists', true],
    ['attribute:stack not_exists', false],
    ['attribute:stack in [dev, prod]', true],
    ['attribute:stack in[dev,"prod"]', true],
    ['attribute:stack !in [dev, prod]', false],
    ['attribute:stack not_in [dev]', true],
    ['attribute:ecs.instance-type =~ t2.*', true],
    ['attribute:ecs.instance-type matches t2', false],
    ['attribute:ecs.instance-type !~ t2\\.(small|large)', false],
    ["attribute:ecs.instance-type not_matches 'm5.*'", true],
    ['attribute:toString exists', false],
    ['attribute:constructor == yes', true],
    ['agentConnected == true', true],
    ['agentConnected in [false]', false],
    ['agentConnected =~ t.*', true],
    ['agentVersion > 1.9', true],
    ['agentVersion < 1.10.1', true],
    ['agentVersion == 1.10', true],
    ['agentVersion >= v1.10.0-rc1', true],
    ['agentVersion exists', true],
    ["ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", true],
    ['ec2InstanceId =~ i-w.*', false],
    ['registeredAt >= 2026-01-02', true],
    ['registeredAt > 2026-01-02T12:00:00', false],
    ['registeredAt < 2026-01-02T12:00:01Z', true],
    ['registeredAt == 2026-01-02T13:00:00+01:00', true],
    ['runningTasksCount == 3', true],
    ['runningTasksCount < 3', false],
    ['runningTasksCount <= 10', true],
    ['task:group == service:web', true],
    ['task:group == database', false],
    ['task:group != job', false],
    ['task:group != database', true],
    ['not(task:group == database)', true],
    ['task:group =~ service:.*', true],
    ['task:group exists', true],
  ])('%s is %s', (expression, is) => {
    expect(hostQuery(expression).matches(askedHost)).toBe(is);
  });

  it.each([
    'attribute:other == x',
    'attribute:other != x',
    'attribute:other in [x]',
    'attribute:other !in [x]',
    'attribute:other < x',
    'attribute:other >= x',
    'attribute:other =~ .*',
    'attribute:other !~ x',
    'agentVersion != 1',
    'registeredAt > 2018-06-18',
    'ec2InstanceId != i-1',
  ])('%s is not true of a host that has none', (expression) => {
    const { agentVersion: _, registeredAt: __, instanceId: ___, ...host } = askedHost;
    expect(hostQuery(expression).matches(host)).toBe(false);
    expect(hostQuery(`not ${expression}`).matches(host)).toBe(true);
  });

  it('has task:group != something true of a host without tasks', () => {
    const idle = { ...askedHost, groups: {}, taskCount: 0 };
    expect(hostQuery('task:group != database').matches(idle)).toBe(true);
    expect(hostQuery('task:group exists').matches(idle)).toBe(false);
  });

  it.each([
    ['agentConnected == false or attribute:stack == prod and runningTasksCount == 3', true],
    ['(agentConnected == true or attribute:stack == dev) and runningTasksCount == 4', false],
    ['not agentConnected == false and attribute:stack == dev', false],
    ['!(agentConnected == false && attribute:stack == dev)', true],
    ['!!attribute:stack exists', true],
    ['attribute:stack=~p.*&&attribute:size<10||attribute:x exists', true],
    ['(attribute:stack =~ (p|q).*)', true],
  ])('binds not closer than and, and closer than or: %s', (expression, is) => {
    expect(hostQuery(expression).matches(askedHost)).toBe(is);
  });

  it('knows what it asks for', () => {
    const query = hostQuery('attribute:a == b and (attribute:a != c or task:group == d)');
    expect(query).toMatchObject({ attributes: ['a'], looksAtTasks: true, countsTasks: false });
    expect(hostQuery('runningTasksCount < 3')).toMatchObject({ attributes: [], looksAtTasks: true, countsTasks: true });
    expect(hostQuery('agentVersion < 3').looksAtTasks).toBe(false);
    expect(hostQuery('attribute:stack == x and task:group == y').tell(askedHost)).toBe(
      'attribute:stack is prod, task:group is service:web and job',
    );
  });
});
