/** Tags as requests give them, checked, as a record. */
import type { Tag } from '@aws-sdk/client-ec2';
import { Ec2Error, missingParameter } from './errors.ts';

const maxTags = 50;

export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  for (const { Key, Value = '' } of tags ?? []) {
    if (Key === undefined) throw missingParameter('Tag.Key');
    if (Key.startsWith('aws:')) {
      throw new Ec2Error(
        'InvalidParameterValue',
        `Tag keys starting with 'aws:' are reserved for internal use: ${Key}`,
      );
    }
    if (Key.length > 127 || Value.length > 255) {
      throw new Ec2Error('InvalidParameterValue', `Tag key or value is too long: ${Key}`);
    }
    result[Key] = Value;
  }
  requireFew(result);
  return result;
}

export function requireFew(tags: Readonly<Record<string, string>>): void {
  const own = Object.keys(tags).filter((key) => !key.startsWith('aws:'));
  if (own.length > maxTags) throw new Ec2Error('TagLimitExceeded', `More than ${maxTags} tags specified`);
}

interface TagSpecification {
  readonly ResourceType?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
}

/** Of one kind of resource, the later specification winning over the earlier. */
export function specifiedTags(
  specifications: readonly TagSpecification[] | undefined,
  kind: string,
): Record<string, string> {
  const ofKind = (specifications ?? []).filter(({ ResourceType }) => ResourceType === kind);
  return tagsOf([...new Map(ofKind.flatMap(({ Tags }) => Tags ?? []).map((tag) => [tag.Key, tag])).values()]);
}

export const tagList = (tags: Readonly<Record<string, string>>): Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
