/** The members of a schema as rows: by their paths, with types, and what they say. Named schemas are links to the shapes. */
import { isObject, type JsonObject } from '../../../core/api/json-schema.ts';
import { html, Markup, nothing, sentence } from './html.ts';

const shapePrefix = '#/components/schemas/';

export const shapeAnchor = (name: string): string => `shape-${name}`;

/** Nothing where there are none. */
export const memberTable = (schema: unknown): Markup => table('Member', memberRows(schema, ''));

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description?: string | undefined;
  readonly schema?: unknown;
}

export const parameterTable = (parameters: readonly Parameter[]): Markup =>
  table(
    'Parameter',
    parameters.map(({ name, in: where, required, description, schema }) =>
      row(name, html`${typeOf(schema)} <i>${where}</i>`, { required, says: description }),
    ),
  );

const table = (title: string, rows: readonly Markup[]): Markup =>
  rows.length === 0
    ? nothing
    : html`<table><thead><tr><th>${title}</th><th>Type</th><th></th></tr></thead><tbody>${rows}</tbody></table>`;

interface RowOptions {
  readonly required: boolean;
  readonly says?: string | undefined;
}

const refused = new Markup(' class="refused"');
const isRefused = (says: string | undefined): boolean => says?.startsWith('Not supported yet') === true;

const row = (path: string, type: Markup, { required, says }: RowOptions): Markup =>
  html`<tr${
    isRefused(says) ? refused : nothing
  }><td class="d${Math.min(4, path.split('.').length - 1)}"><code>${path}</code>${
    required ? html` <b title="required">*</b>` : nothing
  }</td><td>${type}</td><td>${says === undefined ? nothing : sentence(says)}</td></tr>`;

/** Each member, and what is below it. */
function memberRows(schema: unknown, prefix: string): Markup[] {
  if (!isObject(schema)) return [];
  if (isObject(schema.items)) return memberRows(schema.items, prefix);
  const { properties, required } = schema;
  if (!isObject(properties)) return [];
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties).flatMap(([name, member]) => {
    const says = isObject(member) && typeof member.description === 'string' ? member.description : undefined;
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const inner = isObject(member) && isObject(member.items) ? `${path}[]` : path;
    return [row(path, typeOf(member), { required: names.includes(name), says }), ...memberRows(member, inner)];
  });
}

function typeOf(schema: unknown): Markup {
  if (!isObject(schema)) return nothing;
  const { $ref, type, format, items, anyOf, oneOf, additionalProperties, const: only } = schema;
  if (typeof $ref === 'string' && $ref.startsWith(shapePrefix)) return shapeLink($ref.slice(shapePrefix.length));
  if (Array.isArray(schema.enum)) return joined(schema.enum.map((one) => html`<code>${String(one)}</code>`));
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`;
  const alternatives = anyOf ?? oneOf;
  if (Array.isArray(alternatives)) return joined(alternatives.map(typeOf));
  if (type === 'array') return isEmpty(items) ? html`empty list` : html`list of ${typeOf(items)}`;
  if (type === 'object' && isObject(additionalProperties) && !isObject(schema.properties))
    return html`map of ${typeOf(additionalProperties)}`;
  if (format === 'date-time') return html`time`;
  return html`${typeof type === 'string' ? type : 'any'}`;
}

const isEmpty = (items: unknown): boolean => isObject(items) && isObject(items.not);

const shapeLink = (name: string): Markup => html`<a href="#${shapeAnchor(name)}">${name}</a>`;

const joined = (parts: readonly Markup[]): Markup =>
  html`${parts.map((part, index) => (index === 0 ? part : html` | ${part}`))}`;

export const shapesOf = (document: JsonObject): readonly (readonly [string, unknown])[] => {
  const { components } = document;
  return isObject(components) && isObject(components.schemas) ? Object.entries(components.schemas) : [];
};
