/**
 * Generates agent/containerd/gen from agent/containerd/proto. Everything it uses is in devDependencies; no registry is asked.
 *
 *     node scripts/generate-proto.mjs [output directory]
 *
 * What it writes is committed, so that a clone runs without it; a test compares the two.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..');
const output = resolve(process.argv[2] ?? join(repository, 'agent/containerd/gen'));
const modules = join(repository, 'node_modules');

const template = {
  version: 'v2',
  plugins: [
    {
      local: [process.execPath, join(modules, '@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
      out: output,
      // erasable_syntax gives const objects instead of enums, so that the result runs under type stripping.
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    },
  ],
};

rmSync(output, { recursive: true, force: true });
// A cache of its own: buf must not depend on, or write to, a home directory.
const cache = mkdtempSync(join(tmpdir(), 'gantry-buf-'));
try {
  execFileSync(
    process.execPath,
    [
      join(modules, '@bufbuild/buf/bin/buf'),
      'generate',
      'agent/containerd/proto',
      '--template',
      JSON.stringify(template),
    ],
    { cwd: repository, stdio: 'inherit', env: { ...process.env, BUF_CACHE_DIR: cache } },
  );
} finally {
  rmSync(cache, { recursive: true, force: true });
}
