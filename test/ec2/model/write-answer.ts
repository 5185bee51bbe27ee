/** From an answer to EC2's XML, by the model that the SDK carries of it. What the model does not have is left out. */
import { NormalizedSchema } from '@smithy/core/schema';
import type { Ec2Error } from '../errors.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

export function writeAnswer(
  action: string,
  schema: Parameters<typeof NormalizedSchema.of>[0],
  answer: unknown,
  requestId: string,
): string {
  const normalized = NormalizedSchema.of(schema);
  const content = normalized.isStructSchema() ? write(normalized, answer) : element('return', 'true');
  const root = `${action}Response`;
  return `${declaration}<${root} xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${element('requestId', requestId)}${content}</${root}>`;
}

export function writeError({ code, message }: Pick<Ec2Error, 'code' | 'message'>, requestId: string): string {
  const error = element('Code', escaped(code)) + element('Message', escaped(message));
  return `${declaration}${element('Response', element('Errors', element('Error', error)) + element('RequestID', requestId))}`;
}

function write(schema: NormalizedSchema, value: unknown): string {
  if (schema.isStructSchema()) return writeStructure(schema, value);
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const name = item.getMergedTraits().xmlName ?? 'member';
    return Array.isArray(value) ? value.map((each: unknown) => element(name, write(item, each))).join('') : '';
  }
  if (value instanceof Date) return value.toISOString();
  return escaped(String(value));
}

function writeStructure(schema: NormalizedSchema, value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const members = new Map<string, unknown>(Object.entries(value));
  let content = '';
  for (const [name, member] of schema.structIterator()) {
    const held = members.get(name);
    if (held !== undefined) content += element(member.getMergedTraits().xmlName ?? name, write(member, held));
  }
  return content;
}

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
