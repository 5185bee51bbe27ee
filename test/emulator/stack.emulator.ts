/**
 * The steps of `npm run smoke:aws` on a third-party emulator with IAM enforced: bootstrap, deploy, a task's life through its API Gateway,
 * its Lambda and its DynamoDB to a real container on this machine, update, destroy. What the emulator cannot do is named in
 * docs/emulator.md.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Smoke, steps } from '../smoke/steps.ts';
import { type EmulatorSite, openEmulatorSite } from './emulator-site.ts';
import { startEmulator } from './ministack.ts';

const stack = new AsyncDisposableStack();
let site: EmulatorSite;
let smoke: Smoke;

beforeAll(async () => {
  site = stack.use(await openEmulatorSite(stack.use(await startEmulator())));
  smoke = new Smoke(site);
});
afterAll(() => stack.disposeAsync());

it('bootstraps', async () => {
  expect(await site.cdk.run('bootstrap', `aws://000000000000/${site.region}`)).toMatchObject({ code: 0 });
});

for (const { name, needs, run } of steps) {
  it(needs === undefined ? name : `${name} (not here: it needs ${needs})`, async ({ skip }) => {
    if (needs !== undefined && site.lacks.includes(needs)) skip();
    await run(smoke);
  });
}

it('is destroyed once nothing runs', async () => {
  await site.endHost();
  const { client, outputs } = smoke.stack;
  const { hosts } = await client.call('GetHosts', { cluster: outputs.ClusterName });
  for (const { containerInstanceArn: containerInstance } of hosts)
    await client.call('DeregisterContainerInstance', { cluster: outputs.ClusterName, containerInstance });
  expect(await site.destroy()).toMatchObject({ code: 0 });
});
