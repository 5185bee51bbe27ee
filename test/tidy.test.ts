import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as tidy from './support/tidy.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const rooms = readdirSync(root, { withFileTypes: true })
  .filter(
    (entry) =>
      entry.isDirectory() &&
      !entry.name.startsWith('.') &&
      !['node_modules', 'dist', 'cdk.out', 'docs', 'examples'].includes(entry.name),
  )
  .map(({ name }) => name);

const source: tidy.SourceFile[] = rooms.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') })),
);
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the source', () => {
  const laws: Record<string, () => string[]> = {
    'imports only what its room may': () => tidy.forbiddenImports(source),
    'imports packages that are installed with the product': () =>
      tidy.undeclaredPackages(source, Object.keys({ ...dependencies, ...peerDependencies })),
    'uses every package that is installed with the product': () =>
      tidy.unusedPackages(source, Object.keys({ ...dependencies, ...peerDependencies })),
    'has a core without clock, chance and environment': () => tidy.impureCore(source),
    'writes to no console': () => tidy.consoleUse(source),
    'has no dead files': () => tidy.deadFiles(source),
    'has no dead exports': () => tidy.deadExports(source),
    'has lines that fit a screen': () => tidy.longLines(source),
    'numbers its decision records': () => tidy.misnumberedRecords(readdirSync(join(root, 'docs/adr'))),
  };
  it.each(Object.entries(laws))('%s', (_, check) => {
    expect(source.length).toBeGreaterThan(20);
    expect(check()).toEqual([]);
  });
});

/** Each law is shown something that breaks it, beside something alike that does not. */
describe('the laws', () => {
  const file = (path: string, text: string): tidy.SourceFile => ({ path, text });

  it.each([
    ['core/a.ts', "import { x } from '../control/x.ts';"],
    ['control/a.ts', "import type { X } from '../agent/x.ts';"],
    ['agent/a.ts', "const x = await import('../local/x.ts');"],
    ['cli/a.ts', "export { x } from '../control/x.ts';"],
    ['cli/a.ts', "export * from '../local/x.ts';"],
    ['client/a.ts', "import {\n  type X,\n  y,\n} from '../control/x.ts';"],
    ['local/a.ts', "import '../scripts/setup.mjs';"],
    ['lib/a.ts', "import { x } from '../control/deps.ts';"],
    ['core/a.ts', "import { readFileSync } from 'node:fs';"],
    ['core/a.ts', "import { Hono } from 'hono';"],
    ['control/a.ts', "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';"],
    ['control/store/dynamodb.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['agent/images/a.ts', "import http2 from 'node:http2';"],
    ['agent/images/a.ts', "import { create } from '@bufbuild/protobuf/wkt';"],
    ['sheds/a.ts', "import { z } from 'zod';"],
    ['control/a.ts', "import { Duration } from 'aws-cdk-lib';"],
    ['lambdas/a.ts', "import type { Rule } from 'aws-cdk-lib/aws-events';"],
    ['bin/gantry.ts', "import { Construct } from 'constructs';"],
  ])('find the forbidden import in %s: %s', (path, text) => {
    expect(tidy.forbiddenImports([file(path, text)])).toHaveLength(1);
  });

  it.each([
    ['core/a.ts', "import { z } from 'zod';\nimport { b } from './b/b.ts';"],
    ['control/a.ts', "// import { x } from '../agent/x.ts';\nconst s = \"import '../agent/x.ts'\";"],
    ['local/a.ts', "import { x } from '../agent/x.ts';\nconst main = import.meta.resolve('../agent/main.ts');"],
    ['control/store/dynamodb.ts', "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';"],
    ['test/control/a.test.ts', "import { DatabaseSync } from 'node:sqlite';\nimport { x } from '../../agent/x.ts';"],
    ['lib/a.ts', "import { x } from '../control/store/keys.ts';"],
    ['lib/a.ts', "import * as events from 'aws-cdk-lib/aws-events';\nimport type { Construct } from 'constructs';"],
    ['bin/app.ts', "import { App } from 'aws-cdk-lib';"],
  ])('leave the allowed imports in %s alone: %s', (path, text) => {
    expect(tidy.forbiddenImports([file(path, text)])).toEqual([]);
  });

  it('find packages that are missing or superfluous', () => {
    const files = [file('control/a.ts', "import { z } from 'zod/mini';\nimport x from '@scope/name/part';")];
    expect(tidy.undeclaredPackages(files, ['zod'])).toEqual([expect.stringContaining('@scope/name/part')]);
    expect(tidy.unusedPackages(files, ['zod', '@scope/name', 'hono'])).toEqual(['package.json: nothing imports hono']);
  });

  it.each(['Date.now()', 'new Date()', 'Math.random()', 'performance.now()', 'crypto.randomUUID()', 'process.env'])(
    'find %s in core alone',
    (text) => {
      expect(tidy.impureCore([file('core/a.ts', `const x = ${text};`)])).toHaveLength(1);
      expect(tidy.impureCore([file('core/a.ts', `// ${text}\nconst x = '${text}'; /* ${text} */`)])).toEqual([]);
      expect(tidy.impureCore([file('agent/a.ts', `const x = ${text};`)])).toEqual([]);
    },
  );

  it('find the console in a product room', () => {
    expect(tidy.consoleUse([file('agent/a.ts', "console.log('x');")])).toHaveLength(1);
    expect(tidy.consoleUse([file('bin/a.ts', "console.log('x');")])).toEqual([]);
  });

  it('find dead files', () => {
    const files = [
      file('bin/gantry.ts', "import { a } from '../core/a.ts';\nimport.meta.resolve('../core/started.ts');"),
      file('core/a.ts', ''),
      file('core/b.ts', ''),
      file('core/started.ts', ''),
    ];
    expect(tidy.deadFiles(files)).toEqual(['core/b.ts: nothing imports this file']);
  });

  it('find dead exports', () => {
    const exporter = file(
      'core/a.ts',
      [
        'export const used = 1;',
        'export function dead(options: Options) {}',
        'export interface Options {}',
        'export type Lonely = string;',
        'export async function alsoUsed() { return dead; }',
        "export { renamed as reexported } from './b.ts';",
      ].join('\n'),
    );
    const importer = file('control/a.ts', "import { alsoUsed, used as mine } from '../core/a.ts';");
    expect(tidy.deadExports([exporter, importer, file('core/b.ts', 'export const renamed = 1;')])).toEqual([
      'core/a.ts: nothing imports dead',
      'core/a.ts: nothing imports Lonely',
      'core/a.ts: nothing imports reexported',
    ]);
    expect(tidy.deadExports([exporter, file('control/a.ts', "import * as a from '../core/a.ts';")])).toEqual([]);
  });

  it('find long lines, but not in generated code', () => {
    expect(tidy.longLines([file('core/a.ts', 'x'.repeat(161))])).toHaveLength(1);
    expect(
      tidy.longLines([file('core/a.ts', 'x'.repeat(160)), file('agent/containerd/gen/a.ts', 'x'.repeat(999))]),
    ).toEqual([]);
  });

  it('find decision records that are out of order or misnamed', () => {
    expect(tidy.misnumberedRecords(['0002-b.md', '0001-a.md'])).toEqual([]);
    expect(tidy.misnumberedRecords(['0001-a.md', '0003-c.md'])).toHaveLength(1);
    expect(tidy.misnumberedRecords(['0001-a.md', '0001-b.md'])).toHaveLength(1);
    expect(tidy.misnumberedRecords(['1-a.md'])).toHaveLength(1);
  });
});
