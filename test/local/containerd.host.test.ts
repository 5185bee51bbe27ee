/** Gantry's own containerd: started once, adopted afterwards, ended by its own paths alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  type ContainerdPaths,
  containerdConfig,
  containerdPaths,
  runningContainerd,
  startContainerd,
  stopContainerd,
} from '../../local/containerd.ts';
import { describeWithContainers } from '../support/containers.ts';

function temporaryPaths(): AsyncDisposable & { readonly paths: ContainerdPaths } {
  const dir = mkdtempSync('/var/tmp/gantry-test-');
  const paths = containerdPaths(join(dir, 'data'), join(dir, 'run'));
  return {
    paths,
    async [Symbol.asyncDispose]() {
      await stopContainerd(paths);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

it('containerdConfig names its own root, state and sockets, and quotes them', () => {
  const config = containerdConfig({ root: '/a "b"/root', state: '/run/s', socket: '/run/c.sock' });
  expect(config).toContain('root = "/a \\"b\\"/root"\nstate = "/run/s"\n');
  expect(config).toContain('address = "/run/c.sock"\n');
  expect(config).toContain('address = "/run/c.sock.ttrpc"\n');
});

describeWithContainers("Gantry's containerd", () => {
  it('is started, adopted by the next start, and ended', async () => {
    await using temporary = temporaryPaths();
    const { paths } = temporary;
    const first = await startContainerd(paths);
    expect(first).toMatchObject({ socket: paths.socket, adopted: false });
    expect(await startContainerd(paths)).toEqual({ ...first, adopted: true });
    expect(runningContainerd(paths)).toBe(first.pid);
    await stopContainerd(paths);
    expect(runningContainerd(paths)).toBeUndefined();
    await stopContainerd(paths); // It is gone: nothing to do.
  });

  it('is started anew when the pid belongs to another program by now', async () => {
    await using temporary = temporaryPaths();
    const { paths } = temporary;
    await startContainerd(paths);
    await stopContainerd(paths);
    writeFileSync(paths.pidFile, `${process.pid}\n`);
    expect(await startContainerd(paths)).toMatchObject({ adopted: false });
  });

  it('says what its log says when it cannot start', async () => {
    await using temporary = temporaryPaths();
    const { paths } = temporary;
    const tooLong = { ...paths, socket: join(paths.state, 'x'.repeat(120)) };
    await expect(startContainerd(tooLong)).rejects.toThrow(/containerd ended while starting[\s\S]*path too long/);
  });
});
