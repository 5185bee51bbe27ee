/** What `gantry run --cpu --memory` mean, by where the revision sets its sizes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overridesOf } from '../../cli/run-request.ts';
import type { TaskDefinitionView } from '../../core/api/shapes.ts';
import { type Desk, openDesk } from './support/desk.ts';

describe('sizes', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await openDesk();
  });
  afterAll(() => desk[Symbol.asyncDispose]());

  async function revision(members: object, ...containers: readonly object[]): Promise<TaskDefinitionView> {
    const containerDefinitions = containers.map((container, index) => ({
      name: `c${index}`,
      image: 'x',
      ...container,
    }));
    const input = { family: 'f', ...members, containerDefinitions };
    return (await desk.world.call('RegisterTaskDefinition', input)).taskDefinition;
  }

  const wanted = { cpu: 512, memory: 256 };

  it('of the task and its only container are set wherever the revision sets them', async () => {
    const taskOnly = await revision({ cpu: '256', memory: '128' }, {});
    expect(overridesOf(taskOnly, wanted, [])).toEqual({
      cpu: '512',
      memory: '256',
      containerOverrides: [{ name: 'c0' }],
    });
    const containerOnly = await revision({}, { cpu: 256, memory: 128 });
    expect(overridesOf(containerOnly, wanted, [])).toEqual({ containerOverrides: [{ name: 'c0', ...wanted }] });
    const both = await revision({ cpu: '256', memory: '128' }, { cpu: 256, memory: 128 });
    expect(overridesOf(both, wanted, [])).toEqual({
      cpu: '512',
      memory: '256',
      containerOverrides: [{ name: 'c0', ...wanted }],
    });
    expect(overridesOf(both, { memory: 256 }, [])).toEqual({
      memory: '256',
      containerOverrides: [{ name: 'c0', memory: 256 }],
    });
  });

  it('of one container among several are its own, and of no container the task’s', async () => {
    const several = await revision({ memory: '512' }, { memory: 128 }, { memory: 128 });
    expect(overridesOf(several, { container: 'c1', memory: 256 }, [])).toEqual({
      containerOverrides: [{ name: 'c1', memory: 256 }],
    });
    expect(overridesOf(several, { memory: 1024 }, [])).toEqual({ memory: '1024' });
    // The task sets no CPU: whose would it be?
    expect(() => overridesOf(several, { cpu: 256 }, [])).toThrow('f has 2 containers; name one with --container');
  });
});
