/** Access keys in words and cells: whose they are, what they may do, and what their tasks may take. */
import type { Output as Answer } from '../../core/api/operations.ts';
import { type HostAccess, hostAccessKinds } from '../../core/model/rights.ts';
import { formatList } from '../../core/text.ts';
import type { Output } from '../output.ts';
import { formatMoment } from './time.ts';

type AccessKey = Answer<'CreateAccessKey'>['accessKey'];

const userOf = ({ principalArn }: AccessKey): string => principalArn.slice(principalArn.lastIndexOf('/') + 1);

export function printKeyTable(accessKeys: readonly AccessKey[], out: Output, now: number): void {
  const isAnyLimited = accessKeys.some(({ maxWaitingTasks }) => maxWaitingTasks !== undefined);
  out.table(
    ['KEY', 'USER', 'ACTIONS', 'CLUSTERS', 'ROLES', 'HOST', ...(isAnyLimited ? ['MAX WAITING'] : []), 'CREATED'],
    accessKeys.map((key) => [
      key.accessKeyId,
      userOf(key),
      key.actions.join(' '),
      key.clusters?.join(' ') ?? 'all',
      key.taskRoles.map(roleName).join(' ') || '-',
      hostCell(key),
      ...(isAnyLimited ? [key.maxWaitingTasks?.toString() ?? '-'] : []),
      formatMoment(key.createdAt, { terminal: out.terminal, now }),
    ]),
  );
}

/** `web-*` of `arn:aws:iam::000000000000:role/web-*`. */
const roleName = (arn: string): string => (arn === '*' ? 'any' : arn.replace(/^arn:[^/]*:role\//, ''));

const hostCell = ({ hostAccess }: AccessKey): string =>
  hostAccess.length === hostAccessKinds.length ? 'all' : hostAccess.join(' ') || '-';

const reaches: Readonly<Record<HostAccess, string>> = {
  'host-network': "use their host's network",
  'host-paths': 'mount its paths',
  privileged: 'be privileged',
};

/** What its tasks may take, as half of a sentence. */
function taskRights({ taskRoles, hostAccess, maxWaitingTasks }: AccessKey): string {
  const roles = taskRoles.includes('*')
    ? 'take every role'
    : taskRoles.length > 0 && `take the role${taskRoles.length > 1 ? 's' : ''} ${formatList(taskRoles.map(roleName))}`;
  const rights = [roles, ...hostAccess.map((kind) => reaches[kind])].filter((right) => right !== false);
  const may = rights.length === 0 ? 'take no role and do not reach their host' : `may ${formatList(rights)}`;
  return maxWaitingTasks === undefined ? may : `${may}, and at most ${maxWaitingTasks} of them may wait in a cluster`;
}

/** `GKIA… of ci: it may read and run in the cluster web; its tasks may take the role web`. */
export function keySentence(key: AccessKey): string {
  const { accessKeyId, actions, clusters } = key;
  const where =
    clusters === undefined ? 'all clusters' : `the cluster${clusters.length > 1 ? 's' : ''} ${formatList(clusters)}`;
  return `${accessKeyId} of ${userOf(key)}: it may ${formatList(actions)} in ${where}; its tasks ${taskRights(key)}`;
}
