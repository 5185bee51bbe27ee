/** The OpenAPI 3.1 document, from the table of operations. Checked in as docs/openapi.json; a test holds the two together. */
import { z } from 'zod';
import { ofEventPages } from '../../core/api/events.ts';
import type { StreamName } from '../../core/api/examples/example.ts';
import { streamPaths } from '../../core/api/examples/index.ts';
import { isObject, type JsonObject, jsonSchema } from '../../core/api/json-schema.ts';
import { memberDoc } from '../../core/api/member-docs.ts';
import type { Operation } from '../../core/api/operation.ts';
import { operationGroups } from '../../core/api/operation-groups.ts';
import { type OperationName, operations } from '../../core/api/operations.ts';
import { taskViewSchema } from '../../core/api/shapes.ts';
import { unwrap } from '../../core/api/unknown-members.ts';
import { type ErrorCode, errorTraits } from '../../core/errors.ts';
import { progressFrameSchema } from '../../core/host-protocol.ts';
import type { FieldTable } from '../../core/model/field-table.ts';
import { taskDefinitionFields } from '../../core/model/fields.ts';
import { runTaskFields } from '../../core/model/run-task-fields.ts';
import { logLineSchema } from '../../core/model/task.ts';
import { targetPrefix } from './aws-json.ts';
import { withComponents } from './openapi-components.ts';
import { documentedExamples } from './openapi-examples.ts';
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
  for (const [group, own] of Object.entries(operationGroups))
    for (const name of Object.keys(own) as OperationName[]) {
      const { rest } = operations[name];
      add(rest.path, rest.method, { tags: [group], ...describeOperation(name, operations[name]) });
    }
  for (const { name, group, description } of streams)
    add(streamPaths[name], 'get', withExamples(name, { tags: [group], operationId: name, ...description }));
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
    tags: Object.keys(operationGroups).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        sigv4: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'AWS Signature Version 4' },
      },
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
    },
  });
}

function describeOperation(name: OperationName, operation: Operation): JsonObject {
  const { summary, input, output, rest, errors, action, scope, wire } = operation;
  const inPath = [...rest.path.matchAll(/\{(\w+)\}/g)].map(([, member = '']) => member);
  const shape = input instanceof z.ZodObject ? input.shape : {};
  const others = Object.entries<z.ZodType>(shape).filter(([member]) => !inPath.includes(member));
  const hasBody = rest.method === 'POST' || rest.method === 'PUT';
  return withExamples(name, {
    operationId: name,
    summary,
    'x-gantry-actions': typeof action === 'string' ? [action] : action,
    ...(scope !== undefined && { 'x-gantry-scope': scope }),
    ...(wire && { 'x-amz-target': targetPrefix + name }),
    parameters: [
      ...inPath.map((member) => pathParameter(name, member)),
      ...(hasBody ? [] : others.map(([member, schema]) => queryParameter(name, member, schema))),
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
  });
}

/** Puts the examples of an operation into its description. */
function withExamples(name: OperationName | StreamName, description: JsonObject): JsonObject {
  const { body, answers, requests } = documentedExamples(name);
  const whole: JsonObject = { ...description, 'x-gantry-examples': requests };
  addExamples(isObject(whole.requestBody) ? whole.requestBody : undefined, body);
  const responses = isObject(whole.responses) ? whole.responses : {};
  for (const [status, examples] of answers) {
    const response = responses[status];
    addExamples(isObject(response) ? response : undefined, examples);
  }
  return whole;
}

function addExamples(holder: JsonObject | undefined, examples: JsonObject | undefined): void {
  if (examples === undefined || holder === undefined || !isObject(holder.content)) return;
  for (const media of Object.values(holder.content)) if (isObject(media)) media.examples = examples;
}

const pathParameter = (operation: string, member: string): JsonObject => ({
  name: member,
  in: 'path',
  required: true,
  ...described(operation, member),
  schema: { type: 'string' },
});

function described(operation: string, member: string): { description?: string } {
  const description = memberDoc(operation, member);
  return description === undefined ? {} : { description };
}

/** Of the operations that have a table of fields. */
const fieldsOf: Readonly<Record<string, FieldTable>> = {
  RegisterTaskDefinition: taskDefinitionFields,
  RunTask: runTaskFields,
  StartTask: runTaskFields,
  PlanTasks: runTaskFields,
};

function bodySchema(name: string, members: readonly (readonly [string, z.ZodType])[]): JsonObject {
  const schema = jsonSchema(z.object(Object.fromEntries(members)), 'input', fieldsOf[name]);
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const [member, part] of Object.entries(properties))
    if (isObject(part)) part.description ??= memberDoc(name, member);
  return schema;
}

const queryParameter = (operation: string, member: string, schema: z.ZodType): JsonObject => ({
  name: member === 'maxResults' ? 'limit' : member,
  in: 'query',
  required: !schema.safeParse(undefined).success,
  ...described(operation, member),
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

const taskParameters = (stream: string) => ['cluster', 'task'].map((name) => pathParameter(stream, name));
const lines = (line: z.ZodType): JsonObject => ({
  200: {
    description: 'One JSON object a line; where the stream breaks off, the last one is the problem',
    content: {
      'application/x-ndjson': { schema: jsonSchema(z.union([line, z.object({ problem: problemSchema })]), 'output') },
    },
  },
  ...problems([...commonErrors, 'ClusterNotFoundException', 'ResourceNotFoundException']),
});

interface Stream {
  readonly name: StreamName;
  readonly group: keyof typeof operationGroups;
  readonly description: JsonObject;
}

/** Beside the table: what is no request and answer. */
const streams: readonly Stream[] = [
  {
    name: 'StreamEvents',
    group: 'Events',
    description: {
      summary: 'What ListEvents lists, as it is written down, from now on or from behind an event',
      'x-gantry-actions': ['read'],
      parameters: [
        ...Object.entries<z.ZodType>(operations.ListEvents.input.shape)
          .filter(([name]) => !ofEventPages.includes(name))
          .map(([name, schema]) => queryParameter('ListEvents', name, schema)),
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
    name: 'WatchTask',
    group: 'Tasks',
    description: {
      summary: 'The task at each change, and the progress of its pulls, until it has stopped',
      'x-gantry-actions': ['read'],
      parameters: taskParameters('WatchTask'),
      responses: lines(
        z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('task'), task: taskViewSchema }),
          z.object({ kind: z.literal('progress'), progress: progressFrameSchema }),
        ]),
      ),
    },
  },
  {
    name: 'ReadLogs',
    group: 'Tasks',
    description: {
      summary: 'The lines that the containers of a task wrote',
      'x-gantry-actions': ['read'],
      parameters: [
        ...taskParameters('ReadLogs'),
        {
          name: 'container',
          in: 'query',
          required: false,
          description: 'Only lines of this container.',
          schema: { type: 'string' },
        },
        {
          name: 'tail',
          in: 'query',
          required: false,
          description: 'Only the last so many lines.',
          schema: { type: 'integer', minimum: 0 },
        },
        {
          name: 'since',
          in: 'query',
          required: false,
          description: 'Only lines of this time and later.',
          schema: { type: 'string', format: 'date-time' },
        },
        {
          name: 'follow',
          in: 'query',
          required: false,
          description: 'Goes on with what is written, until the task has stopped.',
          schema: { type: 'boolean' },
        },
      ],
      responses: lines(logLineSchema),
    },
  },
];
