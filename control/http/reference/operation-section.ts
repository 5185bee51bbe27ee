/** One operation on the page: what it is, who may call it, what it takes and answers, how it fails, and examples that were made. */
import { isObject, type JsonObject } from '../../../core/api/json-schema.ts';
import { html, type Markup, nothing, sentence } from './html.ts';
import { memberTable, type Parameter, parameterTable } from './members.ts';
import { type ShownExample, type Snippet, snippetsOf } from './snippets.ts';

export interface DescribedOperation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: JsonObject | undefined;
  readonly responses: JsonObject;
  readonly actions: readonly string[];
  readonly scope?: string | undefined;
  readonly target?: string | undefined;
  readonly examples: readonly ShownExample[];
}

export function operationSection(operation: DescribedOperation): Markup {
  const { operationId, method, path, summary, parameters, requestBody } = operation;
  const [success, failures] = responsesOf(operation);
  return html`<section id="${operationId}" data-find="${operationId} ${path} ${summary}">
<h3><a href="#${operationId}">${operationId}</a></h3>
<p class="route"><b class="${method}">${method}</b> <code>${path}</code></p>
<p>${sentence(`${summary}.`)}</p>
<p class="facts">${facts(operation)}</p>
${parameterTable(parameters)}${bodyTable(requestBody)}
<details><summary>Answers ${success?.status ?? ''}</summary>${success === undefined ? nothing : answerOf(success)}</details>
<details><summary>Errors</summary><table><tbody>${failures.map(errorRow)}</tbody></table></details>
${operation.examples.map((example) => exampleBlock(operation, example))}
</section>`;
}

function facts({ actions, scope, target }: DescribedOperation): Markup {
  const needs = html`Needs ${actions.map((action, index) => html`${index === 0 ? '' : ' or '}<code>${action}</code>`)}`;
  const where = scope === 'store' ? html`, for all clusters` : nothing;
  const wire = target === undefined ? html` · REST only` : html` · also <code>X-Amz-Target: ${target}</code>`;
  return html`${needs}${where}${wire}`;
}

interface Answer {
  readonly status: string;
  readonly description: string;
  readonly media: string;
  readonly schema: unknown;
  readonly examples: JsonObject;
}

function responsesOf({ responses }: DescribedOperation): [Answer | undefined, readonly Answer[]] {
  const all = Object.entries(responses).map(([status, response]): Answer => {
    const { description, content } = isObject(response) ? response : {};
    const [media = '', holder] = isObject(content) ? (Object.entries(content)[0] ?? []) : [];
    const { schema, examples } = isObject(holder) ? holder : {};
    return { status, description: String(description), media, schema, examples: isObject(examples) ? examples : {} };
  });
  return [all.find(({ status }) => status.startsWith('2')), all.filter(({ status }) => !status.startsWith('2'))];
}

const answerOf = ({ media, description, schema }: Answer): Markup =>
  html`<p><code>${media}</code>${description === 'Done' ? nothing : html`: ${sentence(`${description}.`)}`}</p>${memberTable(schema)}`;

const errorRow = ({ status, description }: Answer): Markup =>
  html`<tr><td>${status}</td><td>${description.split(', ').map((code) => html`<code>${code}</code> `)}</td></tr>`;

function bodyTable(requestBody: JsonObject | undefined): Markup {
  const content = requestBody?.content;
  const media = isObject(content) ? content['application/json'] : undefined;
  return isObject(media) ? memberTable(media.schema) : nothing;
}

function exampleBlock(operation: DescribedOperation, example: ShownExample): Markup {
  const id = `example-${example.name}`;
  const isWire = operation.target !== undefined && example.isStock;
  const snippets = snippetsOf(operation.operationId, example, { body: sentBody(operation, example), isWire });
  return html`<div class="example" id="${id}"><h4><a href="#${id}">${example.title}</a></h4>
${snippets.map((snippet, index) => tab(id, snippet, index))}
<details class="answer"><summary>${example.status}</summary><pre>${answerText(operation, example)}</pre></details></div>`;
}

/** Radio buttons, so that it needs no script. */
function tab(group: string, { language, code }: Snippet, index: number): Markup {
  const id = `${group}-${index}`;
  const checked = index === 0 ? html` checked` : nothing;
  return html`<input type="radio" name="${group}" id="${id}"${checked}><label for="${id}">${language}</label><pre>${code}</pre>`;
}

function sentBody({ requestBody }: DescribedOperation, { name }: ShownExample): unknown {
  const content = requestBody?.content;
  const media = isObject(content) ? content['application/json'] : undefined;
  const examples = isObject(media) ? media.examples : undefined;
  return exampleValue(isObject(examples) ? examples[name] : undefined);
}

function answerText(operation: DescribedOperation, { name, status }: ShownExample): string {
  const [success, failures] = responsesOf(operation);
  const answer = [success, ...failures].find((one) => one?.status === String(status));
  const value = exampleValue(answer?.examples[name]);
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

const exampleValue = (example: unknown): unknown => (isObject(example) ? example.value : undefined);
