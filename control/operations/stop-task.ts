/** StopTask. */
import type { Input } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import { type StopRequest, stopTask as stop } from '../tasks/stop.ts';
import type { Handlers } from './context.ts';
import { activeClusterName, taskIdMeant } from './references.ts';
import { isForgotten, onlyView } from './tasks.ts';

export const stopTask: Handlers['StopTask'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const id = taskIdMeant(deps, cluster, input.task);
  const task = id === undefined ? undefined : await stop(deps, cluster, id, stopWish(input));
  if (task === undefined || isForgotten(deps, task)) {
    throw new GantryError('InvalidParameterException', 'The referenced task was not found.', { field: 'task' });
  }
  return { task: await onlyView(deps, task) };
};

/** What clients that know no `force` may begin their reason with; the rest of it is the reason. */
const forceWord = /^gantry:force(\s+|$)/;

function stopWish({ reason = '', force = forceWord.test(reason) }: Input<'StopTask'>): StopRequest {
  const why = reason.replace(forceWord, '');
  // ECS keeps an empty reason for none.
  return { ...(why !== '' && { reason: why }), force };
}
