import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { findExecutable } from '../../local/containerd.ts';
import { busyboxImage, busyboxLayer, findStaticBusybox } from '../../local/images/busybox-image.ts';
import { type Blob, buildImage, buildIndex, digestOf, type Image } from '../../local/images/image.ts';
import { pushImage } from '../../local/images/push-image.ts';
import { type RegistryOptions, startRegistry } from '../../local/images/registry.ts';
import { tarArchive } from '../../local/images/tar.ts';
import { describeUnless } from '../support/containers.ts';

const missing = ['docker-registry', 'busybox', 'tar'].filter((name) => findExecutable(name) === undefined);
const reason = missing.length > 0 ? `needs ${missing.join(', ')}` : undefined;

function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-images-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function temporaryRegistry(options: Omit<RegistryOptions, 'dir'> = {}) {
  const dir = temporaryDirectory();
  const registry = await startRegistry({ dir: dir.path, ...options });
  return {
    url: registry.url,
    dir: dir.path,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      dir[Symbol.dispose]();
    },
  };
}

function firstLayer({ blobs }: Image): Blob {
  const layer = blobs[1];
  if (layer === undefined) throw new Error('The image has no layer.');
  return layer;
}

describeUnless(reason, 'layers', () => {
  it('are archives that GNU tar reads back with owners, modes, links and long paths', () => {
    using dir = temporaryDirectory();
    const longPath = `/${'directory/'.repeat(12)}file`;
    const archive = tarArchive({
      '/bin/tool': { content: '#!/bin/sh\n', mode: 0o755 },
      '/bin/link': { symlink: 'tool' },
      '/tmp': { directory: true, mode: 0o1777 },
      '/home/app/notes': { content: 'hello', uid: 1000, gid: 1000, mode: 0o600 },
      [longPath]: 'deep',
      '/random': randomBytes(1300),
    });
    writeFileSync(join(dir.path, 'layer.tar'), archive);
    const listing = execFileSync('tar', ['--numeric-owner', '-tvf', join(dir.path, 'layer.tar')], { encoding: 'utf8' });
    const lines = listing.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    expect(lines).toContain('-rwxr-xr-x 0/0 10 1970-01-01 00:00 bin/tool');
    expect(lines).toContain('lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/link -> tool');
    expect(lines).toContain('drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/');
    expect(lines).toContain('-rw------- 1000/1000 5 1970-01-01 00:00 home/app/notes');
    expect(lines).toContain(`-rw-r--r-- 0/0 4 1970-01-01 00:00 ${longPath.slice(1)}`);
    expect(lines).toContain('-rw-r--r-- 0/0 1300 1970-01-01 00:00 random');
  });

  it('refuse a path that the format cannot hold', () => {
    expect(() => tarArchive({ [`/${'x'.repeat(101)}`]: '' })).toThrow(/too long/);
  });
});

describeUnless(reason, 'images', () => {
  it('are the same bytes for the same content, in whatever order it is named', async () => {
    const config = { Entrypoint: ['/bin/a'], StopSignal: 'SIGINT' };
    const one = await buildImage({ config, layers: [{ '/bin/a': 'a', '/etc/b': 'b' }] });
    const two = await buildImage({ config, layers: [{ '/etc/b': 'b', '/bin/a': 'a' }] });
    const other = await buildImage({ config, layers: [{ '/etc/b': 'b', '/bin/a': 'A' }] });
    expect(two.manifest.digest).toBe(one.manifest.digest);
    expect(other.manifest.digest).not.toBe(one.manifest.digest);
  });

  it('name digests and sizes that hold, compressed and not', async () => {
    const image = await buildImage({ layers: [{ '/a': 'a' }, { '/b': randomBytes(100_000) }] });
    const manifest = JSON.parse(image.manifest.bytes.toString());
    const [config, ...layers] = image.blobs;
    expect(manifest.config).toMatchObject({
      digest: digestOf(config?.bytes ?? Buffer.of()),
      size: config?.bytes.length,
    });
    expect(manifest.layers.map(({ size }: { size: number }) => size)).toEqual(layers.map(({ bytes }) => bytes.length));
    const diffIds = JSON.parse(String(config?.bytes)).rootfs.diff_ids;
    expect(diffIds).toEqual(layers.map(({ bytes }) => digestOf(gunzipSync(bytes))));
  });

  it('out of busybox have a shell that runs and a default command', async () => {
    using dir = temporaryDirectory();
    const image = await busyboxImage({ config: { Env: ['COLOUR=red'] } });
    const config = JSON.parse(String(image.blobs[0]?.bytes)).config;
    expect(config).toMatchObject({ Cmd: ['sh'], Env: [expect.stringMatching(/^PATH=/), 'COLOUR=red'] });
    execFileSync('tar', ['-xzf', '-', '-C', dir.path, 'bin'], { input: firstLayer(image).bytes });
    expect(execFileSync(join(dir.path, 'bin/sh'), ['-c', 'echo $((6 * 7))'], { encoding: 'utf8' })).toBe('42\n');
  });

  it('out of busybox hold what the tests rely on', async () => {
    const layer = await busyboxLayer();
    const names = [
      'cat',
      'echo',
      'env',
      'false',
      'httpd',
      'id',
      'kill',
      'nc',
      'ps',
      'pwd',
      'sleep',
      'stty',
      'true',
      'wget',
    ];
    for (const name of names) expect(layer).toHaveProperty([`/bin/${name}`], { symlink: 'busybox' });
  });

  it('are made of a busybox without shared libraries, or of none', async () => {
    using dir = temporaryDirectory();
    const dynamic = readFileSync('/bin/cat'); // Dynamically linked, and found first under the name.
    writeFileSync(join(dir.path, 'busybox'), dynamic, { mode: 0o755 });
    const found = await findStaticBusybox();
    expect(await findStaticBusybox(`${dir.path}:${join(found, '..')}`)).toBe(found);
    await expect(findStaticBusybox(dir.path)).rejects.toThrow(/npm run quickstart/);
  });
});

describeUnless(reason, 'the registry', () => {
  it('serves what was pushed, by tag and by digest', async () => {
    await using registry = await temporaryRegistry();
    const image = await busyboxImage({ layers: [{ '/data': randomBytes(3_000_000) }] });
    const target = { registryUrl: registry.url, repository: 'team/hello', tag: '1' };
    const pushed = await pushImage(image, target);
    expect(pushed).toEqual({
      reference: `${new URL(registry.url).host}/team/hello:1`,
      digest: image.manifest.digest,
    });
    const accept = { headers: { accept: image.manifest.mediaType } };
    const byTag = await fetch(`${registry.url}/v2/team/hello/manifests/1`, accept);
    expect(byTag.headers.get('docker-content-digest')).toBe(image.manifest.digest);
    expect(Buffer.from(await byTag.arrayBuffer()).equals(image.manifest.bytes)).toBe(true);
    for (const { digest, bytes } of image.blobs) {
      const blob = await fetch(`${registry.url}/v2/team/hello/blobs/${digest}`);
      expect(Buffer.from(await blob.arrayBuffer()).equals(bytes)).toBe(true);
    }
    await pushImage(image, { ...target, tag: '2' }); // Everything is there but the tag.
    const tags = await fetch(`${registry.url}/v2/team/hello/tags/list`);
    expect(await tags.json()).toEqual({ name: 'team/hello', tags: expect.arrayContaining(['1', '2']) });
  });

  it.each(['oci', 'docker'] as const)('serves an index over two platforms (%s)', async (mediaTypes) => {
    await using registry = await temporaryRegistry();
    const layers = [{ '/hello': 'hello' }];
    const images = await Promise.all(
      ['amd64', 'arm64'].map((architecture) => buildImage({ layers, architecture, mediaTypes })),
    );
    const index = buildIndex(images, mediaTypes);
    await pushImage(index, { registryUrl: registry.url, repository: 'multi', tag: 'latest' });
    const accept = [index.manifest.mediaType, images[0]?.manifest.mediaType].join(', ');
    const answer = await fetch(`${registry.url}/v2/multi/manifests/latest`, { headers: { accept } });
    expect(answer.headers.get('content-type')).toBe(index.manifest.mediaType);
    expect(await answer.json()).toMatchObject({
      manifests: images.map(({ manifest, platform }) => ({ digest: manifest.digest, platform })),
    });
  });

  it('asks for a password where it was told to', async () => {
    // bcrypt of "secret"; the registry takes no other kind of hash.
    const htpasswd = 'ann:$2b$05$qCTyVHU5S8cMh7NoLml2feqKq6btKzV7WGZFaZOfatQi1mc2oaj0W\n';
    await using registry = await temporaryRegistry({ htpasswd });
    const image = await buildImage({ layers: [{ '/a': 'a' }] });
    const target = { registryUrl: registry.url, repository: 'private', tag: '1' };
    await expect(pushImage(image, target)).rejects.toThrow(/401/);
    await expect(pushImage(image, { ...target, basicAuth: { username: 'ann', password: 'wrong' } })).rejects.toThrow(
      /401/,
    );
    await pushImage(image, { ...target, basicAuth: { username: 'ann', password: 'secret' } });
  });

  it('is adopted by a second start and ended by either', async () => {
    using dir = temporaryDirectory();
    await using first = await startRegistry({ dir: dir.path });
    await using second = await startRegistry({ dir: dir.path });
    expect(second).toMatchObject({ url: first.url, adopted: true });
    await second[Symbol.asyncDispose]();
    await expect(fetch(`${first.url}/v2/`)).rejects.toThrow();
  });

  it('says why it cannot start', async () => {
    await using taken = await temporaryRegistry();
    using dir = temporaryDirectory();
    const port = Number(new URL(taken.url).port);
    await expect(startRegistry({ dir: dir.path, port })).rejects.toThrow(/address already in use/);
  });
});
