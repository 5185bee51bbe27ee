/** The generated code is what the protos give, and the protos say what containerd says. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseProto } from './parse-proto.ts';

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

/** What newer ones have beside it; an older one takes no notice. */
const sinceThen = [
  'containerd.services.snapshots.v1.CommitSnapshotRequest.parent = 5: string', // containerd 2.2
];

describe('the protos', () => {
  it('name, number and type every field and method as containerd does', () => {
    const theirs = new Set(
      readFileSync(join(root, 'test/agent/containerd/containerd-1.6.20-protos.txt'), 'utf8').split('\n'),
    );
    const ours = Object.values(filesIn(protoDir)).flatMap((text) => parseProto(text));
    expect(ours.length).toBeGreaterThan(200);
    expect(ours.filter((fact) => !theirs.has(fact))).toEqual(sinceThen);
  });
});
