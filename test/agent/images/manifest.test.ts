import { describe, expect, it } from 'vitest';
import { hostPlatform } from '../../../agent/images/host-platform.ts';
import {
  chooseManifest,
  fitsPlatform,
  offeredPlatforms,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from '../../../agent/images/manifest.ts';
import { chainIds } from '../../../agent/images/unpack.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 };

function index(...platforms: (object | undefined)[]) {
  return parseIndex(json({ schemaVersion: 2, manifests: platforms.map((platform) => ({ ...descriptor, platform })) }));
}

describe('chooseManifest', () => {
  const linux = (architecture: string, variant?: string) => ({ os: 'linux', architecture, variant });

  it('finds the platform among others', () => {
    const found = index({ os: 'windows', architecture: 'amd64' }, linux('arm64', 'v8'), linux('amd64'));
    expect(chooseManifest(found, linux('amd64'))).toBe(2);
    expect(chooseManifest(found, linux('arm64'))).toBe(1);
    expect(chooseManifest(found, linux('s390x'))).toBeUndefined();
  });

  it('takes an entry without a variant for the common one of its architecture', () => {
    expect(chooseManifest(index(linux('arm64')), linux('arm64', 'v8'))).toBe(0);
    expect(chooseManifest(index(linux('amd64', 'v3'), linux('amd64')), linux('amd64'))).toBe(1);
  });

  it('prefers the highest variant that the host can run', () => {
    const found = index(linux('arm', 'v5'), linux('arm', 'v7'), linux('arm', 'v6'));
    expect(chooseManifest(found, linux('arm', 'v7'))).toBe(1);
    expect(chooseManifest(found, linux('arm', 'v6'))).toBe(2);
  });

  it('never takes attestations and entries without a platform', () => {
    expect(
      chooseManifest(index({ os: 'unknown', architecture: 'unknown' }, undefined), linux('amd64')),
    ).toBeUndefined();
  });

  it('lists what is offered, without attestations', () => {
    const found = index(linux('arm64', 'v8'), linux('amd64'), { os: 'unknown', architecture: 'unknown' });
    expect(offeredPlatforms(found)).toBe('linux/arm64/v8, linux/amd64');
    expect(offeredPlatforms(index())).toBe('none');
  });
});

describe('the platform of the host', () => {
  it('is named as OCI names it', () => {
    expect(hostPlatform('x64', '')).toEqual({ os: 'linux', architecture: 'amd64', variant: 'v1' });
    expect(hostPlatform('arm64', '')).toEqual({ os: 'linux', architecture: 'arm64' });
  });

  it('has the level of its processor, of which every step is needed', () => {
    const second = 'cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3';
    const third = 'avx avx2 bmi1 bmi2 f16c fma abm movbe xsave';
    const fourth = 'avx512f avx512bw avx512cd avx512dq avx512vl';
    const levelOf = (flags: string) =>
      hostPlatform('x64', `processor\t: 0\nflags\t\t: fpu ${flags} sse\nbugs\t: x\n`).variant;
    expect(levelOf(second)).toBe('v2');
    expect(levelOf(`${second} ${third}`)).toBe('v3');
    expect(levelOf(`${second} ${third} ${fourth}`)).toBe('v4');
    expect(levelOf(`${second} ${third.replace('fma ', '')} ${fourth}`)).toBe('v2');
  });
});

describe('documents of a registry', () => {
  it('are refused by the member that is wrong', () => {
    const manifest = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
    expect(() => parseManifest(json({ ...manifest, layers: [{ ...descriptor, digest: 'sha256:../../etc' }] }))).toThrow(
      'layers.0.digest: must be a sha256 digest',
    );
    expect(() => parseManifest(json({ ...manifest, layers: [] }))).toThrow('layers: an image needs a layer');
    expect(() => parseManifest(json({ ...manifest, layers: Array(128).fill(descriptor) }))).toThrow('layers:');
    expect(() => parseManifest(json({ ...manifest, config: { ...descriptor, size: -1 } }))).toThrow('config.size');
    expect(() => parseManifest(json({ ...manifest, schemaVersion: 1 }))).toThrow('schemaVersion');
    expect(() => parseManifest(Buffer.from('<html>'))).toThrow('JSON');
  });

  it('may hold null for what a builder did not set', () => {
    const rootfs = { type: 'layers', diff_ids: [digest] };
    const config = parseImageConfig(json({ config: { Entrypoint: null, Cmd: ['a'], Env: null }, rootfs }));
    expect(config.config).toMatchObject({ Entrypoint: undefined, Cmd: ['a'], Env: undefined });
    expect(fitsPlatform(config, { os: 'linux', architecture: 'amd64' })).toBe(true);
    expect(fitsPlatform({ ...config, architecture: 'arm64' }, { os: 'linux', architecture: 'amd64' })).toBe(false);
  });
});

describe('chainIds', () => {
  it('are digests of what is below and the layer', () => {
    const [first, second] = chainIds([`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]);
    expect(first).toBe(`sha256:${'a'.repeat(64)}`);
    // printf 'sha256:aaa… sha256:bbb…' | sha256sum
    expect(second).toBe('sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c');
  });
});
