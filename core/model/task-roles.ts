/** The IAM roles that tasks may take, as patterns of their ARNs. */
import { matches } from '../wildcard.ts';
import type { Rights } from './rights.ts';

/** Tools name a role by its ARN or by its name, which is one of the account; with patterns likewise. */
export const roleArn = (accountId: string, role: string): string =>
  role === '*' || role.startsWith('arn:') ? role : `arn:aws:iam::${accountId}:role/${role}`;

/** Of a pattern: whether every role of it may be taken. */
export const mayTakeRole = ({ taskRoles }: Pick<Rights, 'taskRoles'>, arn: string): boolean =>
  taskRoles.some((pattern) => matches(pattern, arn));
