/** ECS' rules for the tags that callers give. */

import type { Tag } from './cluster.ts';
import { checkLength, firstDouble, parameterFault } from './faults.ts';
import { limits } from './limits.ts';
import { checkLimitTags } from './task-limits.ts';

const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const allowed = 'Letters, digits, spaces and _ . : / = + - @ are allowed.';

/** The service's own: callers can neither give nor take them, and they count towards no limit. */
export const isReservedKey = (key: string): boolean => /^aws:/i.test(key);

/** Throws InvalidParameterException, naming the tag. */
export function checkTags(tags: readonly Tag[]): void {
  checkLength(parameterFault, 'tags', tags, limits.tags);
  for (const [index, { key, value = '' }] of tags.entries()) {
    const field = `tags[${index}]`;
    if (key.length < 1 || key.length > 128 || !characters.test(key))
      throw parameterFault(`${field}.key`, `${field}.key must be 1 to 128 characters.`, allowed);
    if (isReservedKey(key))
      throw parameterFault(
        `${field}.key`,
        `${field}.key begins with aws:, which is reserved.`,
        'Choose another prefix.',
      );
    if (value.length > 256 || !characters.test(value))
      throw parameterFault(`${field}.value`, `${field}.value must be at most 256 characters.`, allowed);
  }
  const double = firstDouble(tags, ({ key }) => key);
  if (double !== undefined)
    throw parameterFault(
      `tags[${double.index}].key`,
      `Duplicate tag key ${double.item.key}.`,
      'Each key may be given once.',
    );
  checkLimitTags(tags);
}
