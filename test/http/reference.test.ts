/** The page of documentation: whole without anybody else, true to the table of operations, and with examples that can be pasted. */
import { execFileSync } from 'node:child_process';
import { runInNewContext } from 'node:vm';
import { Hono } from 'hono';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../client/index.ts';
import { addDocuments } from '../../control/http/documents.ts';
import { openApiDocument } from '../../control/http/openapi.ts';
import { snippetsOf } from '../../control/http/reference/snippets.ts';
import { examples } from '../../core/api/examples/index.ts';
import { documentedMembers, memberDoc } from '../../core/api/member-docs.ts';
import type { Operation } from '../../core/api/operation.ts';
import { operationGroups } from '../../core/api/operation-groups.ts';
import { operations } from '../../core/api/operations.ts';
import { requestFaults } from '../support/ecs-model.ts';

let page: string;
let policy: string;
beforeAll(async () => {
  const app = new Hono();
  addDocuments(app);
  const response = await app.request('/docs');
  expect(response.headers.get('content-type')).toMatch(/^text\/html/);
  policy = response.headers.get('content-security-policy') ?? '';
  page = await response.text();
});

const all = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, found = '']) => found);
const table: readonly Operation[] = Object.values(operations);

describe('the page', () => {
  it('loads nothing from anywhere', () => {
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|connect-src/);
    const addresses = all(/\b(?:src|srcset|href|action|data|poster)="([^"]*)"/g);
    expect(addresses.length).toBeGreaterThan(100);
    expect(addresses.filter((one) => !one.startsWith('#') && !['data:,', '/openapi.json'].includes(one))).toEqual([]);
    expect(page).not.toMatch(
      /@import|url\(|fetch\(|XMLHttpRequest|import\(|<(?:link rel="(?!icon)|iframe|img|object|embed)/,
    );
  });

  it('closes what it opens, and links to what there is', () => {
    const open: string[] = [];
    for (const [, close, tag = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (['meta', 'link', 'input'].includes(tag)) continue;
      if (close === '') open.push(tag);
      else expect(open.pop()).toBe(tag);
    }
    expect(open).toEqual([]);
    const ids = all(/\bid="([^"]*)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    expect(all(/href="#([^"]*)"/g).filter((anchor) => !ids.includes(anchor))).toEqual([]);
  });

  it('has every operation, with its route, its rights and its examples', () => {
    for (const { name, rest, action } of table) {
      const section = page.slice(
        page.indexOf(`<section id="${name}"`),
        page.indexOf('</section>', page.indexOf(`<section id="${name}"`)),
      );
      expect(section).toContain(`<b class="${rest.method}">${rest.method}</b> <code>${rest.path}</code>`);
      for (const one of [action].flat()) expect(section).toContain(`<code>${one}</code>`);
      const own = examples.filter(({ operation }) => operation === name);
      for (const example of own) expect(section).toContain(`id="example-${example.name}"`);
    }
    expect(
      Object.values(operationGroups)
        .flatMap((group) => Object.keys(group))
        .toSorted(),
    ).toEqual(Object.keys(operations).toSorted());
  });

  it('says of every member what it is', () => {
    const tables = ['RegisterTaskDefinition', 'RunTask', 'StartTask', 'PlanTasks'];
    const inputs = table.map(
      ({ name, input }) => [name, Object.keys(input instanceof z.ZodObject ? input.shape : {})] as const,
    );
    const unsaid = inputs.flatMap(([name, members]) =>
      tables.includes(name)
        ? []
        : members.filter((member) => memberDoc(name, member) === undefined).map((member) => `${name}.${member}`),
    );
    expect(unsaid).toEqual([]);
    const known = new Set(
      inputs.flatMap(([name, members]) => members.flatMap((member) => [member, `${name}.${member}`])),
    );
    expect(documentedMembers.filter((member) => !known.has(member))).toEqual([]);
  });
});

const describedSchema = z.object({
  operationId: z.string(),
  'x-amz-target': z.string().optional(),
  requestBody: z
    .object({
      content: z.object({
        'application/json': z.object({ examples: z.record(z.string(), z.object({ value: z.unknown() })).optional() }),
      }),
    })
    .optional(),
  'x-gantry-examples': z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      method: z.string(),
      path: z.string(),
      input: z.record(z.string(), z.unknown()),
      isStock: z.boolean(),
      status: z.number(),
    }),
  ),
});
const shown = z.record(z.string(), z.record(z.string(), describedSchema)).parse(openApiDocument().paths);
const shownExamples = Object.values(shown)
  .flatMap((methods) => Object.values(methods))
  .flatMap((operation) =>
    operation['x-gantry-examples'].map((example) => {
      const body = operation.requestBody?.content['application/json'].examples?.[example.name]?.value;
      const isWire = operation['x-amz-target'] !== undefined && example.isStock;
      return { operation, example, body, snippets: snippetsOf(operation.operationId, example, { body, isWire }) };
    }),
  );
const codeOf = (snippets: (typeof shownExamples)[number]['snippets'], language: string): string =>
  snippets.find((snippet) => snippet.language === language)?.code ?? '';

describe('an example', () => {
  it('is one that a stock client can send wherever the page says so', () => {
    const wire = shownExamples.filter(({ operation }) => operation['x-amz-target'] !== undefined);
    expect(wire.length).toBeGreaterThan(30);
    for (const { operation, example } of wire)
      expect(requestFaults(operation.operationId, example.input).length > 0, example.name).toBe(!example.isStock);
  });

  it('pasted into a shell sends what was made', () => {
    const commands = shownExamples.map(({ snippets }) => `${codeOf(snippets, 'curl')}\nprintf '\\n'`);
    const arguments_ = `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }\n`;
    const output = execFileSync('sh', ['-c', arguments_ + commands.join('\n')], {
      encoding: 'utf8',
      env: { GANTRY_ENDPOINT: 'http://gantry' },
    });
    const calls = output
      .split('\0\n')
      .slice(0, -1)
      .map((line) => line.split('\0'));
    expect(calls).toHaveLength(shownExamples.length);
    for (const [index, { example, body }] of shownExamples.entries()) {
      const call = calls[index] ?? [];
      expect(call.at(-1)).toBe(`http://gantry${example.path}`);
      const at = call.indexOf('--json');
      expect(at === -1 ? undefined : JSON.parse(call[at + 1] ?? '')).toEqual(body);
      const method = call.includes('--request') ? call[call.indexOf('--request') + 1] : at === -1 ? 'GET' : 'POST';
      expect(method).toBe(example.method);
    }
  });

  it('pasted into a program calls the client with what was made', () => {
    const client = createClient({ endpoint: 'http://127.0.0.1:1', env: {} });
    for (const { example, snippets } of shownExamples) {
      const [, method = '', input = ''] =
        /client\.(\w+)\(([\s\S]*?)\)(?:;$| console)/.exec(codeOf(snippets, 'JavaScript')) ?? [];
      expect(client, example.name).toHaveProperty(method, expect.any(Function));
      const value: unknown = runInNewContext(`JSON.stringify(${input.replace(/\)$/, '')})`);
      expect(JSON.parse(String(value))).toEqual(example.input);
    }
  });
});
