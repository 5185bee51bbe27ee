/**
 * What a principal's tasks may take with them: IAM roles, and ways to reach their host. Asked when a revision is registered, of what is
 * written; and when tasks are run, of what results, because revisions are shared. docs/adr/0007.
 */
import { GantryError } from '../../../core/errors.ts';
import { hostReachOf } from '../../../core/model/host-access.ts';
import type { HostAccess } from '../../../core/model/rights.ts';
import type { TaskDefinition } from '../../../core/model/task-definition.ts';
import { mayTakeRole, roleArn } from '../../../core/model/task-roles.ts';
import type { Principal } from '../../operations/context.ts';

const roleMembers = ['taskRoleArn', 'executionRoleArn'] as const;
type Roles = { readonly [Member in (typeof roleMembers)[number]]?: string | undefined };

/** The account, the revision, and RunTask's overrides as they were written. */
export type RunInQuestion = [accountId: string, definition: TaskDefinition, overrides?: Roles | undefined];

/** `definition` as it was written. Throws AccessDeniedException naming the member and the right. */
export function authorizeDefinition(principal: Principal, accountId: string, definition: Roles & object): void {
  for (const member of roleMembers)
    authorizeRole(principal, accountId, { role: definition[member], field: member, where: '' });
  for (const { access, field } of hostReachOf(definition)) authorizeHost(principal, access, { field, where: field });
}

/** Throws AccessDeniedException naming the override, or the revision where that has it. */
export function authorizeTasks(principal: Principal, ...[accountId, definition, overrides = {}]: RunInQuestion): void {
  const inRevision = { field: 'taskDefinition', where: ` of ${definition.family}:${definition.revision}` };
  for (const member of roleMembers) {
    // An empty text is none, as tools send it.
    const override = overrides[member] || undefined;
    const place = override === undefined ? inRevision : { field: `overrides.${member}`, where: '' };
    authorizeRole(principal, accountId, { role: override ?? definition[member], ...place });
  }
  for (const { access, field } of hostReachOf(definition))
    authorizeHost(principal, access, { ...inRevision, where: `${field}${inRevision.where}` });
}

interface Place {
  readonly field: string;
  readonly where: string;
}

function authorizeRole(
  principal: Principal,
  accountId: string,
  { role, field, where }: Place & { readonly role: string | undefined },
): void {
  if (role === undefined || role === '') return;
  const arn = roleArn(accountId, role);
  if (mayTakeRole(principal, arn)) return;
  throw new GantryError('AccessDeniedException', `${principal.arn} is not allowed to pass the role ${arn}${where}.`, {
    field,
    hint: `Use a key whose tasks may take that role (\`gantry keys create USER --role ${arn}\`).`,
  });
}

const reaches: Readonly<Record<HostAccess, string>> = {
  'host-network': "use their host's network",
  'host-paths': 'use paths of their host',
  privileged: 'be privileged',
};

function authorizeHost(principal: Principal, access: HostAccess, { field, where }: Place): void {
  if (principal.hostAccess.includes(access)) return;
  const message = `${principal.arn} is not allowed to let tasks ${reaches[access]} (${where}).`;
  throw new GantryError('AccessDeniedException', message, {
    field,
    hint: `Use a key with the host access '${access}' (\`gantry keys create USER --${access}\`).`,
  });
}
