/**
 * Which routes of the REST API an action opens, as IAM writes them. Derived from the table of operations, so that a grant and the
 * API's own check of actions can never disagree.
 */
import type { Action } from '../core/api/operation.ts';
import { operations } from '../core/api/operations.ts';

/** `METHOD/path` with `*` for each member of the path; `{cluster}` is the cluster's name where one is given. */
export function apiPaths(actions: readonly Action[], clusterName = '*'): readonly string[] {
  return (
    Object.values(operations)
      // Where the resource decides, IAM sees none of it, and asks for all.
      .filter(({ action }) => (typeof action === 'string' ? [action] : action).every((one) => actions.includes(one)))
      .map(({ rest }) => `${rest.method}${rest.path.replace('{cluster}', clusterName).replaceAll(/\{\w+\}/g, '*')}`)
      .toSorted()
  );
}
