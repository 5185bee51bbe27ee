/** The OpenAPI 3.1 document, from the table of operations. Checked in as docs/openapi.json; a test holds the two together. */
import { z } from 'zod';
import { ofEventPages } from '../../core/api/events.ts';
import { type JsonObject, jsonSchema } from '../../core/api/json-schema.ts';
import type { Operation } from '../../core/api/operation.ts';
import { operations } from '../../core/api/operations.ts';
import { taskViewSchema } from '../../core/api/shapes.ts';
import { unwrap } from '../../core/api/unknown-members.ts';
import { type ErrorCode, errorTraits } from '../../core/errors.ts';
import { progressFrameSchema } from '../../core/host-protocol.ts';
import type { FieldTable } from '../../core/model/field-table.ts';
import { taskDefinitionFields } from '../../core/model/fields.ts';
import { runTaskFields } from '../../core/model/run-task-fields.ts';
import { logLineSchema } from '../../core/model/task.ts';
import { withComponents } from './openapi-components.ts';
import { problemSchema } from './problem.ts';

/** What any operation may answer. */
const commonErrors = [
  'AccessDeniedException',
  'InvalidParameterException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'SerializationException',
  'ServerException',
  'ThrottlingException',
  'UnrecognizedClientException',
] as const satisfies readonly ErrorCode[];

export function openApiDocument(): JsonObject {
  const paths: Record<string, JsonObject> = {};
  const add = (path: string, method: string, description: JsonObject) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: description };
  };
  for (const operation of Object.values<Operation>(operations))
    add(operation.rest.path, operation.rest.method, describeOperation(operation));
  for (const { path, description } of streams) add(path, 'get', description);
  return withComponents({
    openapi: '3.1.0',
    info: {
      title: 'Gantry',
      version: '1',
      description: [
        "Gantry's REST API. The same operations answer Amazon ECS' wire protocol (AWS JSON 1.1) at POST /.",
        'Requests are signed with AWS Signature Version 4 for the service `ecs`.',
      ].join(' '),
    },
    security: [{ sigv4: [] }],
    paths,
    components: {
      securitySchemes: {
        sigv4: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'AWS Signature Version 4' },
      },
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
    },
  });
}

function describeOperation({ name, summary, input, output, rest, errors }: Operation): JsonObject {
  const inPath = [...rest.path.matchAll(/\{(\w+)\}/g)].map(([, member = '']) => member);
  const shape = input instanceof z.ZodObject ? input.shape : {};
  const others = Object.entries<z.ZodType>(shape).filter(([member]) => !inPath.includes(member));
  const hasBody = rest.method === 'POST' || rest.method === 'PUT';
  return {
    operationId: name,
    summary,
    parameters: [
      ...inPath.map((member) => ({ name: member, in: 'path', required: true, schema: { type: 'string' } })),
      ...(hasBody ? [] : others.map(([member, schema]) => queryParameter(member, schema))),
    ],
    ...(hasBody && {
      requestBody: {
        required: others.some(([, schema]) => !schema.safeParse(undefined).success),
        content: { 'application/json': { schema: bodySchema(name, others) } },
      },
    }),
    responses: {
      [rest.status]: {
        description: 'Done',
        content: { 'application/json': { schema: jsonSchema(output, 'output') } },
      },
      ...problems([...commonErrors, ...errors]),
    },
  };
}

/** Of the operations that have a table of fields. */
const fieldsOf: Readonly<Record<string, FieldTable>> = {
  RegisterTaskDefinition: taskDefinitionFields,
  RunTask: runTaskFields,
};

const bodySchema = (name: string, members: readonly (readonly [string, z.ZodType])[]): JsonObject =>
  jsonSchema(z.object(Object.fromEntries(members)), 'input', fieldsOf[name]);

const queryParameter = (member: string, schema: z.ZodType): JsonObject => ({
  name: member === 'maxResults' ? 'limit' : member,
  in: 'query',
  required: !schema.safeParse(undefined).success,
  schema: jsonSchema(unwrap(schema), 'input'),
});

function problems(codes: readonly ErrorCode[]): JsonObject {
  const byStatus = Map.groupBy(codes, (code) => errorTraits[code].restStatus);
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names.join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

const taskPath = '/v1/clusters/{cluster}/tasks/{task}';
const taskParameters = ['cluster', 'task'].map((name) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
}));
const lines = (line: z.ZodType): JsonObject => ({
  200: {
    description: 'One JSON object a line; where the stream breaks off, the last one is the problem',
    content: {
      'application/x-ndjson': { schema: jsonSchema(z.union([line, z.object({ problem: problemSchema })]), 'output') },
    },
  },
  ...problems([...commonErrors, 'ClusterNotFoundException', 'ResourceNotFoundException']),
});

/** Beside the table: what is no request and answer. */
const streams = [
  {
    path: '/v1/events/stream',
    description: {
      operationId: 'StreamEvents',
      summary: 'What ListEvents lists, as it is written down, from now on or from behind an event',
      parameters: [
        ...Object.entries<z.ZodType>(operations.ListEvents.input.shape)
          .filter(([name]) => !ofEventPages.includes(name))
          .map(([name, schema]) => queryParameter(name, schema)),
        { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
      ],
      responses: {
        200: {
          description:
            'Server-sent events: `id` and, as `data`, an Event; where the stream breaks off, `problem` is the last one',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...problems([...commonErrors, 'ClusterNotFoundException', 'UnsupportedFeatureException']),
      },
    },
  },
  {
    path: `${taskPath}/watch`,
    description: {
      operationId: 'WatchTask',
      summary: 'The task at each change, and the progress of its pulls, until it has stopped',
      parameters: taskParameters,
      responses: lines(
        z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('task'), task: taskViewSchema }),
          z.object({ kind: z.literal('progress'), progress: progressFrameSchema }),
        ]),
      ),
    },
  },
  {
    path: `${taskPath}/logs`,
    description: {
      operationId: 'ReadLogs',
      summary: 'The lines that the containers of a task wrote',
      parameters: [
        ...taskParameters,
        { name: 'container', in: 'query', required: false, schema: { type: 'string' } },
        { name: 'tail', in: 'query', required: false, schema: { type: 'integer', minimum: 0 } },
        { name: 'follow', in: 'query', required: false, schema: { type: 'boolean' } },
      ],
      responses: lines(logLineSchema),
    },
  },
];
