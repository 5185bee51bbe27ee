/** TagResource, UntagResource, ListTagsForResource. What can be tagged, and how it keeps its tags, is tagged-resources.ts. */
import type { Action } from '../../core/api/operation.ts';
import type { Tag } from '../../core/model/cluster.ts';
import { mergeTags, removeTags } from '../../core/model/tag-changes.ts';
import { attempt } from '../attempts.ts';
import { authorize } from '../http/auth/policy.ts';
import type { Handlers, OperationContext } from './context.ts';
import { readTagged, type TaggableKind, tagTarget } from './tagged-resources.ts';

/** Who may make a resource may tag it. */
const actionOf: Readonly<Record<TaggableKind, Action>> = {
  task: 'run',
  'task-definition': 'register',
  cluster: 'administer',
  'container-instance': 'administer',
  'capacity-provider': 'administer',
};

export const tagResource: Handlers['TagResource'] = (context, { resourceArn, tags }) =>
  change(context, resourceArn, (seen) => mergeTags(seen, tags));

export const untagResource: Handlers['UntagResource'] = (context, { resourceArn, tagKeys }) =>
  change(context, resourceArn, (seen) => removeTags(seen, tagKeys));

export const listTagsForResource: Handlers['ListTagsForResource'] = async (context, { resourceArn }) => {
  const { tags } = await readTagged(context, tagTarget(context.deps.realm, resourceArn));
  return { tags: [...tags] };
};

/** Repeats what `next` makes of the tags until nobody was quicker: what others change at the same time stays. */
async function change(
  context: OperationContext,
  resourceArn: string,
  next: (seen: readonly Tag[]) => Tag[],
): Promise<Record<string, never>> {
  const { deps, principal } = context;
  const target = tagTarget(deps.realm, resourceArn);
  authorize(principal, actionOf[target.kind]);
  await attempt(deps, { most: 20, what: resourceArn }, async () => {
    const seen = await readTagged(context, target);
    const { outcome } = await deps.table.commit(await seen.changes(next(seen.tags)));
    if (outcome !== 'done') return undefined;
    seen.changed();
    return true;
  });
  return {};
}
