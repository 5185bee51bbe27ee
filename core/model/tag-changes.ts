/** What becomes of the tags of a resource when it is given others, or loses some. */
import type { Tag } from './cluster.ts';
import { checkLength, parameterFault } from './faults.ts';
import { limits } from './limits.ts';
import { checkTags, isReservedKey } from './tag-rules.ts';

/** The tags of a resource once it is given these: a key that it has gets the new value. Throws where they are too many or wrong. */
export function mergeTags(seen: readonly Tag[], given: readonly Tag[]): Tag[] {
  if (given.length === 0) throw parameterFault('tags', 'Tags cannot be empty.');
  checkTags(given);
  const changed = seen.map((tag) => given.find(({ key }) => key === tag.key) ?? tag);
  const added = given.filter(({ key }) => !seen.some((tag) => tag.key === key));
  const tags = [...changed, ...added];
  const count = tags.filter(({ key }) => !isReservedKey(key)).length;
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
  const reserved = keys.findIndex(isReservedKey);
  if (reserved >= 0)
    throw parameterFault(`tagKeys[${reserved}]`, `tagKeys[${reserved}] begins with aws:, which is reserved.`);
  return seen.filter(({ key }) => !keys.includes(key));
}
