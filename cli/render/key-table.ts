/** Access keys in words and cells: whose they are, and what they may do. */
import type { Output as Answer } from '../../core/api/operations.ts';
import { formatList } from '../../core/text.ts';
import type { Output } from '../output.ts';
import { formatMoment } from './time.ts';

type AccessKey = Answer<'CreateAccessKey'>['accessKey'];

const userOf = ({ principalArn }: AccessKey): string => principalArn.slice(principalArn.lastIndexOf('/') + 1);

export function printKeyTable(accessKeys: readonly AccessKey[], out: Output, now: number): void {
  out.table(
    ['KEY', 'USER', 'ACTIONS', 'CLUSTERS', 'CREATED'],
    accessKeys.map((key) => [
      key.accessKeyId,
      userOf(key),
      key.actions.join(' '),
      key.clusters?.join(' ') ?? 'all',
      formatMoment(key.createdAt, { terminal: out.terminal, now }),
    ]),
  );
}

/** `GKIA… of ci: it may read and run in the cluster web`. */
export function keySentence(key: AccessKey): string {
  const { accessKeyId, actions, clusters } = key;
  const where =
    clusters === undefined ? 'all clusters' : `the cluster${clusters.length > 1 ? 's' : ''} ${formatList(clusters)}`;
  return `${accessKeyId} of ${userOf(key)}: it may ${formatList(actions)} in ${where}`;
}
