/** A deployment that failed on its way can be made again, whatever of it was done: refused input, and a function that died. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AwsCloud, startAwsCloud } from './aws-cloud.ts';
import { patience } from './patience.ts';
import type { StackSource } from './template/template.ts';

const definition = (family: string, memory: number) =>
  JSON.stringify({ family, containerDefinitions: [{ name: 'main', image: 'busybox', memory }] });

describe('a deployment that failed half-way', patience, () => {
  let cloud: AwsCloud;

  beforeAll(async () => {
    cloud = await startAwsCloud();
  }, patience.timeout);

  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]();
  }, patience.timeout);

  /** What was deployed, with custom resources of ours beside it. */
  function stackWith(definitions: Readonly<Record<string, string>>): StackSource {
    const { template } = cloud.source;
    const guard = Object.values(template.Resources).find(({ Type }) => Type === 'Custom::GantryGuard') ?? expect.fail();
    const { ServiceToken } = guard.Properties;
    const added = Object.entries(definitions).map(([id, Definition]) => [
      id,
      { ...guard, Type: 'Custom::GantryTaskDefinition', Properties: { ServiceToken, Definition } },
    ]);
    return {
      ...cloud.source,
      template: { ...template, Resources: { ...template.Resources, ...Object.fromEntries(added) } },
    };
  }

  const arns = async () =>
    (await cloud.client.call('ListTaskDefinitions', {})).taskDefinitionArns.map((arn) => arn.split('/')[1]);

  it('says which member of a definition was refused, and is made again with a right one', async () => {
    const first = stackWith({ Good: definition('good', 64), Wrong: definition('wrong', 0) });
    await expect(cloud.platform.update(first)).rejects.toThrow(/Wrong.*memory/s);
    await cloud.platform.update(stackWith({ Good: definition('good', 64), Wrong: definition('wrong', 32) }));
    expect(await arns()).toEqual(['good:1', 'wrong:1']);
  });

  it('is made again after its function died in the middle', async () => {
    const wanted = { Good: definition('good', 64), Wrong: definition('wrong', 32), Late: definition('late', 16) };
    const resources = cloud.lambda('resources');
    resources.beforeInvoke = async () => {
      resources.beforeInvoke = undefined;
      // Its process has the event by then, and has asked the table nothing yet.
      setImmediate(() => void resources.kill());
    };
    await expect(cloud.platform.update(stackWith(wanted))).rejects.toThrow(/Late/);
    await cloud.platform.update(stackWith(wanted));
    expect(await arns()).toEqual(['good:1', 'late:1', 'wrong:1']);
  });
});
