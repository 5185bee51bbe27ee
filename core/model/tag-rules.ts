/** ECS' rules for the tags that callers give. */

import type { Tag } from './cluster.ts';
import { checkLength, firstDouble, parameterFault } from './faults.ts';
import { limits } from './limits.ts';

const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const allowed = 'Letters, digits, spaces and _ . : / = + - @ are allowed.';

/** The service's own: callers can neither give nor take them, and they count towards no limit. */
const isReserved = (key: string): boolean => /^aws:/i.test(key);

/** Throws InvalidParameterException, naming the tag. */
export function checkTags(tags: readonly Tag[]): void {
  checkLength(parameterFault, 'tags', tags, limits.tags);
  for (const [index, { key, value = '' }] of tags.entries()) {
    const field = `tags[${index}]`;
    if (key.length < 1 || key.length > 128 || !characters.test(key))
      throw parameterFault(`${field}.key`, `${field}.key must be 1 to 128 characters.`, allowed);
    if (isReserved(key))
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
}

/** The tags of a resource once it is given these: a key that it has gets the new value. Throws where they are too many or wrong. */
export function mergeTags(seen: readonly Tag[], given: readonly Tag[]): Tag[] {
  if (given.length === 0) throw parameterFault('tags', 'Tags cannot be empty.');
  checkTags(given);
  const changed = seen.map((tag) => given.find(({ key }) => key === tag.key) ?? tag);
  const added = given.filter(({ key }) => !seen.some((tag) => tag.key === key));
  const tags = [...changed, ...added];
  const count = tags.filter(({ key }) => !isReserved(key)).length;
  const most = limits.tags[1];
  if (count > most)
    throw parameterFault(
      'tags',
      `A resource can have at most ${most} tags; it would have ${count}.`,
      'Untag it first.',
    );
  return tags;
}

/** Keys that the resource does not have are no fault. */
export function removeTags(seen: readonly Tag[], keys: readonly string[]): Tag[] {
  if (keys.length === 0) throw parameterFault('tagKeys', 'Tag keys cannot be empty.');
  checkLength(parameterFault, 'tagKeys', keys, limits.tags);
  const reserved = keys.findIndex(isReserved);
  if (reserved >= 0)
    throw parameterFault(`tagKeys[${reserved}]`, `tagKeys[${reserved}] begins with aws:, which is reserved.`);
  return seen.filter(({ key }) => !keys.includes(key));
}
