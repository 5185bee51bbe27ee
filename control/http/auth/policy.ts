/**
 * The one check of what a principal may do, behind both transports. A key that Gantry issues is an administrator's: it may do every
 * action. Others (an IAM ARN from a gateway) may do what the deployment maps them to; nothing by default.
 */
import type { Action } from '../../../core/api/operation.ts';
import { GantryError } from '../../../core/errors.ts';
import type { Principal } from '../../operations/context.ts';

/** Throws AccessDeniedException naming what is missing. */
export function authorize(principal: Principal, action: Action): void {
  if (principal.actions.includes(action)) return;
  throw new GantryError('AccessDeniedException', `${principal.arn} is not allowed to ${action}.`, {
    hint: `Use a key that has the action '${action}'.`,
  });
}
