import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { generatedFiles } from '../bin/generated-files.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('what is generated', () => {
  it.each(Object.entries(generatedFiles()))('%s is checked in as `npm run generate` writes it', (path, text) => {
    // Not by a diff of a thousand lines: what to do is all there is to say.
    expect(read(path) === text, `${path} has drifted: run \`npm run generate\` and commit it`).toBe(true);
  });
});

describe('the document of the API', () => {
  it('has every part that it refers to', () => {
    const text = read('docs/openapi.json');
    const referred = new Set([...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, target = '']) => target));
    const defined = Object.keys(JSON.parse(text).components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(defined).toContain('#/components/schemas/Task');
    expect([...referred].toSorted()).toEqual(defined.toSorted());
  });
});

describe("the editors' schema", () => {
  const schema = z.fromJSONSchema(JSON.parse(read('docs/task-definition.schema.json')));
  const container = { name: 'app', image: 'busybox', memory: 64 };

  it('is named by the example and takes it', () => {
    const example = JSON.parse(read('examples/hello.json'));
    expect(join('examples', example.$schema)).toBe('docs/task-definition.schema.json');
    expect(schema.safeParse(example).error).toBeUndefined();
  });

  it('takes what asks for nothing of members that are not supported', () => {
    const neutral = { ...container, mountPoints: [], volumesFrom: [], privileged: false, linuxParameters: {} };
    expect(schema.safeParse({ family: 'web', containerDefinitions: [neutral] }).error).toBeUndefined();
  });

  it.each([
    ['a misspelled member', { memroy: 64 }],
    ['an unsupported member', { secrets: [{ name: 'A', valueFrom: 'b' }] }],
    ['a value out of range', { portMappings: [{ containerPort: 70_000 }] }],
    ['a value of another type', { memory: '64' }],
    ['an unknown word', { dependsOn: [{ containerName: 'db', condition: 'WHENEVER' }] }],
  ])('underlines %s', (_, wrong) => {
    expect(schema.safeParse({ family: 'web', containerDefinitions: [container] }).success).toBe(true);
    expect(schema.safeParse({ family: 'web', containerDefinitions: [{ ...container, ...wrong }] }).success).toBe(false);
  });
});
