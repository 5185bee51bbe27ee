/** The table of fields against the models of AWS' own client, against what the API parses, and against what is done with each field. */
import * as ecs from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { registerTaskDefinitionInputSchema } from '../../../core/api/task-definitions.ts';
import { runTaskInputSchema } from '../../../core/api/tasks.ts';
import { unknownMembers } from '../../../core/api/unknown-members.ts';
import type { FieldTable } from '../../../core/model/field-table.ts';
import { taskDefinitionFields } from '../../../core/model/fields.ts';
import { runTaskWarnings } from '../../../core/model/normalise-run-task.ts';
import { runTaskFields } from '../../../core/model/run-task-fields.ts';
import { container, definitionRequest, register, revision, runTask, withMember } from './requests.ts';

interface Subject {
  readonly table: FieldTable;
  /** The client's own description of the request. */
  readonly model: unknown;
  readonly schema: z.ZodType;
  /** Right, with every list that a refused member stands in. */
  readonly base: object;
  readonly apply: (request: unknown) => { readonly result: unknown; readonly warnings: readonly string[] };
}

const definition = revision(definitionRequest);
const subjects: Record<string, Subject> = {
  RegisterTaskDefinition: {
    table: taskDefinitionFields,
    model: ecs.RegisterTaskDefinitionRequest$,
    schema: registerTaskDefinitionInputSchema,
    base: {
      ...definitionRequest,
      containerDefinitions: [
        { ...container, portMappings: [{ containerPort: 80 }], logConfiguration: { logDriver: 'json-file' } },
      ],
    },
    apply(request) {
      const { warnings, ...result } = register(request);
      return { result, warnings };
    },
  },
  RunTask: {
    table: runTaskFields,
    model: ecs.RunTaskRequest$,
    schema: runTaskInputSchema,
    base: {
      taskDefinition: 'web',
      overrides: { containerOverrides: [{ name: 'app' }] },
      placementConstraints: [{ type: 'distinctInstance' }],
    },
    apply: (request) => ({
      result: runTask(Object(request), definition),
      warnings: runTaskWarnings(runTaskInputSchema.parse(request)),
    }),
  },
};

/** Members of ours, which no client of ECS sends. */
const ours = ['placementTimeoutSeconds', 'timeoutSeconds', 'cpuLimit'];

describe.each(Object.entries(subjects))('the fields of %s', (_, { table, model, schema, base, apply }) => {
  const rows = Object.entries(table);
  const ofClass = (...classes: string[]) => rows.filter(([, field]) => classes.includes(field.class));

  it("are those of AWS' client, each once", () => {
    const paths = pathsOf(model);
    expect(paths.length).toBeGreaterThan(20);
    const uncovered = paths.filter((path) => !rows.some(([row]) => isAtOrBelow(path, row)));
    const invented = rows.map(([row]) => row).filter((row) => !paths.some((path) => isAtOrBelow(path, row)));
    expect({ uncovered, invented }).toEqual({ uncovered: [], invented: ours.filter((path) => path in table) });
    const doubled = rows.filter(([row]) => rows.some(([other]) => other !== row && isAtOrBelow(row, other)));
    expect(doubled).toEqual([]);
  });

  it.each(rows)('%s is known to the API', (path) => {
    expect(unknownMembers(schema, withMember({}, path, 1))).toEqual([]);
  });

  it.each(rows)('%s has a sentence', (_path, { says }) => {
    expect(says).toMatch(/^[A-Z`].{8,}[.]$/);
  });

  it.each(ofClass('refused'))('%s is refused by its path where it asks for something', (path, { says }) => {
    const place = path.replaceAll('[]', '[0]');
    const wish = path.endsWith('ptions') ? { 'max-size': '10m' } : [{ anything: 1 }];
    const value = path.endsWith('expression') ? 'attribute:x == y' : wish;
    const error = refusalOf(() => apply(withMember(base, path, value)));
    expect(error).toMatchObject({ code: 'ClientException', hint: says });
    expect(error?.field.startsWith(place)).toBe(true);
    expect(error?.message).toBe(`${error?.field} is not supported yet.`);
  });

  it.each(ofClass('refused'))('%s may ask for nothing', (path) => {
    const plain = apply(base);
    const requests = [false, '', [], {}, { nested: [], other: { deep: false } }]
      .map((nothing) => withMember(base, path, nothing))
      .filter((request) => schema.safeParse(request).success);
    expect(requests.length).toBeGreaterThan(0);
    for (const request of requests) expect(apply(request)).toEqual(plain);
  });

  it.each(ofClass('recorded', 'ignored'))('%s is warned of, by its class', (path, field) => {
    const { warnings } = apply(withMember(base, path, usualValue[path] ?? 'a-name'));
    const place = path.replaceAll('[]', '[0]');
    const what = field.class === 'ignored' ? 'ignored' : 'recorded only';
    expect(warnings).toEqual([`${place}: ${what}. ${field.says}`]);
    expect(apply(base).warnings).toEqual([]);
  });
});

const usualValue: Record<string, unknown> = {
  requiresCompatibilities: ['EC2'],
  'runtimePlatform.operatingSystemFamily': 'LINUX',
  tags: [{ key: 'team', value: 'a' }],
};

function refusalOf(act: () => unknown): { code: string; field: string; message: string; hint: string } | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return Object(error);
  }
}

const isAtOrBelow = (path: string, row: string): boolean =>
  path === row || path.startsWith(`${row}.`) || path.startsWith(`${row}[]`);

/** Every member's path in a schema of the client: [kind, namespace, name, traits, members or element, …]. */
function pathsOf(schema: unknown, path = ''): string[] {
  const resolved = resolve(schema);
  if (!Array.isArray(resolved)) return [path];
  const [kind, , , , content, schemas] = resolved;
  if (kind === 1) return pathsOf(content, `${path}[]`);
  if (kind !== 3 || !Array.isArray(content) || !Array.isArray(schemas)) return [path];
  const prefix = path === '' ? '' : `${path}.`;
  return content.flatMap((name: unknown, index) => pathsOf(schemas[index], prefix + String(name)));
}

/** A schema may stand behind a function, and beside its traits. */
function resolve(schema: unknown): unknown {
  if (typeof schema === 'function') return resolve(schema());
  return Array.isArray(schema) && (typeof schema[0] === 'function' || schema.length === 2)
    ? resolve(schema[0])
    : schema;
}
