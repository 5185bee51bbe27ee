/** The generated code is what the protos give, and the protos say what containerd says. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ProtoFacts, parseProto } from './parse-proto.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const protoDir = join(root, 'agent/containerd/proto');

function filesIn(dir: string): Record<string, string> {
  const names = readdirSync(dir).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}

function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-proto-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe('the generated code', () => {
  it('is what scripts/generate-proto.mjs makes of the protos', () => {
    using dir = temporaryDirectory();
    execFileSync(process.execPath, [join(root, 'scripts/generate-proto.mjs'), join(dir.path, 'gen')]);
    expect(filesIn(join(dir.path, 'gen'))).toEqual(filesIn(join(root, 'agent/containerd/gen')));
  });
});

/** Opt-in, because it downloads a Debian package: GANTRY_CHECK_PROTO=1. */
describe.runIf(process.env.GANTRY_CHECK_PROTO === '1')('the protos', () => {
  it('name, number and type every field and method as containerd does', () => {
    using dir = temporaryDirectory();
    const theirs = containerdFacts(dir.path);
    const ours = Object.values(filesIn(protoDir)).flatMap((text) => parseProto(text));
    expect(ours.length).toBeGreaterThan(200);
    expect(ours.filter((fact) => !theirs.has(fact))).toEqual([]);
  });
});

function containerdFacts(dir: string): Set<ProtoFacts[number]> {
  execFileSync('apt-get', ['download', 'golang-github-containerd-containerd-dev'], { cwd: dir, stdio: 'ignore' });
  const [archive = ''] = readdirSync(dir).filter((name) => name.endsWith('.deb'));
  execFileSync('dpkg-deb', ['-x', join(dir, archive), dir]);
  const source = join(dir, 'usr/share/gocode/src/github.com/containerd/containerd');
  const protos = ['api', 'runtime/v2/runc/options'].flatMap((part) =>
    readdirSync(join(source, part), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.proto'))
      .map((name) => readFileSync(join(source, part, name), 'utf8')),
  );
  return new Set(protos.flatMap((text) => parseProto(text)));
}
