/**
 * A template as people read it: references as `${LogicalId.Attribute}` within the text that they are part of, hashes of what was built
 * left out, in YAML. What is left differs only where the template differs in what it means.
 */
import type { Template } from 'aws-cdk-lib/assertions';
import { stringify } from 'yaml';

export const storyOf = (template: Template): string =>
  stringify(readable(template.toJSON()), { lineWidth: 0, aliasDuplicateObjects: false });

/** What CDK adds for its own bootstrap, the same in every stack. */
const unread = ['BootstrapVersion', 'CheckBootstrapVersion'];

function readable(value: unknown): unknown {
  if (typeof value === 'string') return withoutHashes(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  const reference = referenceOf(value);
  if (reference !== undefined) return reference;
  const members = Object.entries(value).filter(([name]) => !unread.includes(name));
  return Object.fromEntries(members.map(([name, member]) => [name, readable(member)]));
}

function referenceOf(value: object): string | undefined {
  if ('Ref' in value) return `\${${String(value.Ref)}}`;
  if ('Fn::GetAtt' in value && Array.isArray(value['Fn::GetAtt'])) return `\${${value['Fn::GetAtt'].join('.')}}`;
  if ('Fn::Sub' in value && typeof value['Fn::Sub'] === 'string') return withoutHashes(value['Fn::Sub']);
  if (!('Fn::Join' in value) || !Array.isArray(value['Fn::Join'])) return undefined;
  const [separator, parts]: unknown[] = value['Fn::Join'];
  if (!Array.isArray(parts)) return undefined;
  const texts = parts.map(readable);
  return texts.every((text) => typeof text === 'string') ? texts.join(String(separator)) : undefined;
}

const withoutHashes = (text: string): string => text.replaceAll(/\b[0-9a-f]{64}\b/g, '<sha256>');
