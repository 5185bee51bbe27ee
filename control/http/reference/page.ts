/**
 * The reference of the REST API as one page of HTML, out of the OpenAPI document: whatever it needs is in it, so that it works where
 * nothing else can be reached, and in a file.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isObject, type JsonObject } from '../../../core/api/json-schema.ts';
import { html, Markup, sentence } from './html.ts';
import { memberTable, shapeAnchor, shapesOf } from './members.ts';
import { type DescribedOperation, operationSection } from './operation-section.ts';
import { script, style } from './style.ts';

export interface Page {
  readonly body: string;
  /** Of the browser: that nothing is loaded from anywhere, and no script runs but the one of the page. */
  readonly contentSecurityPolicy: string;
}

export function referencePage(document: JsonObject): Page {
  const operations = operationsOf(document);
  const groups = Map.groupBy(operations, ({ group }) => group);
  const shapes = shapesOf(document);
  const body = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Gantry: REST API</title><link rel="icon" href="data:,"><style>${inline(style)}</style></head><body>
<nav><input id="find" type="search" placeholder="Find (press /)" aria-label="Find an operation">
<h2>About</h2><a href="#about">Requests, answers, errors</a>
${[...groups].map(([group, own]) => html`<h2>${group}</h2>${own.map(link)}`)}
<h2>Shapes</h2>${shapes.map(([name]) => html`<a href="#${shapeAnchor(name)}" data-find="${name}">${name}</a>`)}
</nav><main>${about}
${[...groups].map(([group, own]) => html`<h2>${group}</h2>${own.map(({ operation }) => operationSection(operation))}`)}
<h2>Shapes</h2>${shapes.map(([name, schema]) => html`<section id="${shapeAnchor(name)}"><h3>${name}</h3>${memberTable(schema)}</section>`)}
</main><script>${inline(script)}</script></body></html>
`;
  const hash = createHash('sha256').update(script).digest('base64');
  return {
    body: body.text,
    contentSecurityPolicy: `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:`,
  };
}

/** Style and script have no text of others in them. */
const inline = (code: string): Markup => new Markup(code);

interface Grouped {
  readonly group: string;
  readonly operation: DescribedOperation;
}

const link = ({ operation: { operationId, path, summary } }: Grouped): Markup =>
  html`<a href="#${operationId}" data-find="${`${operationId} ${path} ${summary}`}">${operationId}</a>`;

const describedSchema = z.object({
  tags: z.tuple([z.string()]),
  operationId: z.string(),
  summary: z.string(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean(),
        description: z.string().optional(),
        schema: z.unknown(),
      }),
    )
    .default([]),
  requestBody: z.record(z.string(), z.unknown()).optional(),
  responses: z.record(z.string(), z.unknown()),
  'x-gantry-actions': z.array(z.string()),
  'x-gantry-scope': z.string().optional(),
  'x-amz-target': z.string().optional(),
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

/** In the order of the document's groups. */
function operationsOf({ paths, tags }: JsonObject): readonly Grouped[] {
  const all = Object.entries(isObject(paths) ? paths : {}).flatMap(([path, methods]) =>
    Object.entries(isObject(methods) ? methods : {}).map(([method, described]) => groupedOf(path, method, described)),
  );
  const order = z
    .array(z.object({ name: z.string() }))
    .parse(tags)
    .map(({ name }) => name);
  return all.toSorted((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
}

function groupedOf(path: string, method: string, described: unknown): Grouped {
  const parsed = describedSchema.parse(described);
  const { operationId, summary, parameters, requestBody, responses, tags } = parsed;
  return {
    group: tags[0],
    operation: {
      path,
      method: method.toUpperCase(),
      operationId,
      summary,
      parameters,
      requestBody,
      responses,
      actions: parsed['x-gantry-actions'],
      scope: parsed['x-gantry-scope'],
      target: parsed['x-amz-target'],
      examples: parsed['x-gantry-examples'],
    },
  };
}

const paragraphs: readonly (readonly string[])[] = [
  ['Every operation is here; those that Amazon ECS has answer its wire protocol (AWS JSON 1.1) at `POST /` as well.'],
  [
    'Requests are signed with AWS Signature Version 4: with a key of Gantry for the service `ecs`, or where API Gateway stands before it',
    'with AWS credentials for `execute-api`. A key has actions (`read`, `run`, `register`, `administer`) and clusters; each operation says',
    'what it needs.',
  ],
  [
    'Times are RFC 3339. Members that are null count as absent; those that nobody knows are refused by their path. Lists of query',
    'parameters are repeated: `kind=task&kind=refusal`. Where there is more, an answer has `nextToken`: send it back with the same other',
    'members.',
  ],
  [
    'What fails is answered as `application/problem+json`: `code`, `detail`, and where they are known `field`, the member at fault, and',
    '`hint`, what to do about it. The header `x-amzn-requestid` names the request in the logs.',
  ],
  [
    'The examples were made against a control plane, one after the other; ids and times are samples. `$GANTRY_ENDPOINT` is its address,',
    'for example `http://127.0.0.1:8080`; `client` is made by `createClient()` of `gantry/client`. curl signs since 7.75, but 7.88 at',
    'least signs paths with `%` in them in another way than AWS.',
  ],
];

const about = html`<section id="about"><h1>Gantry: REST API</h1>
<p><a href="/openapi.json">openapi.json</a> is this page for programs.</p>
${paragraphs.map((lines) => html`<p>${sentence(lines.join(' '))}</p>`)}</section>`;
