/** `gantry registries`: credentials kept from standard input, shown without passwords, and forgotten. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from './support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const gantry = (...argv: string[]) => desk.gantry(['registries', ...argv]);

describe('gantry registries', () => {
  it('keeps what it is given on standard input and does not show the password again', async () => {
    const login = ['registries', 'login', 'ghcr.io', '--username', 'ci'];
    const { code, stdout } = await desk.gantry(login, { stdin: Readable.from(['correct horse\n']) });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'The cluster default pulls every image of ghcr.io as ci\n' });
    await desk.gantry(['registries', 'login', 'ghcr.io', '--name', 'other'], {
      stdin: Readable.from(['ann\nsecret\n']),
    });
    const listed = await gantry('list');
    expect(listed.stdout.replaceAll(/\d{4}-\S+/g, 'TIME')).toMatchInlineSnapshot(`
      "NAME     REGISTRY  USERNAME  FOR                      CHANGED
      ghcr.io  ghcr.io   ci        all its images           TIME
      other    ghcr.io   ann       containers that name it  TIME
      "
    `);
    expect(listed.stdout + (await gantry('list', '--json')).stdout).not.toMatch(/correct|secret/);
  });

  it('says what is missing, and what cannot be', async () => {
    const none = await desk.gantry(['registries', 'login', 'ghcr.io', '--username', 'ci'], {
      stdin: Readable.from(['']),
    });
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('No password was given') });
    const wrong = await desk.gantry(['registries', 'login', 'https://ghcr.io', '--username', 'ci'], {
      stdin: Readable.from(['x\n']),
    });
    expect(wrong).toMatchObject({ stderr: expect.stringContaining('without https:// and path') });
  });

  it('forgets', async () => {
    expect((await gantry('logout', 'other')).code).toBe(0);
    expect((await gantry('list', '--json')).stdout).not.toContain('other');
    expect(await gantry('logout', 'other')).toMatchObject({ stderr: expect.stringContaining('no credentials other') });
  });
});
