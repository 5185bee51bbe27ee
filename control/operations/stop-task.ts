/** StopTask. */
import type { Input } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import { checkLength, parameterFault } from '../../core/model/faults.ts';
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

/** A sentence: it is part of each answer about the task. */
const mostReasonCharacters = 1024;

/** What clients that know no `force` may begin their reason with; the rest of it is the reason. */
const forceWord = /^gantry:force(\s+|$)/;

function stopWish({ reason = '', force = forceWord.test(reason) }: Input<'StopTask'>): StopRequest {
  const why = reason.replace(forceWord, '');
  checkLength(parameterFault, 'reason', why, [0, mostReasonCharacters]);
  // ECS keeps an empty reason for none.
  return { ...(why !== '' && { reason: why }), force };
}
