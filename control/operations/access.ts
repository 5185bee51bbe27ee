/** CreateAccessKey, ListAccessKeys, DeleteAccessKey, CreateJoinToken, AdmitInstances. */
import { z } from 'zod';
import type { Input, Output } from '../../core/api/operations.ts';
import { containerInstanceArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { namePattern } from '../../core/model/cluster.ts';
import { checkRange, parameterFault } from '../../core/model/faults.ts';
import { hostAccessKinds, type Rights } from '../../core/model/rights.ts';
import { mayTakeRole, roleArn } from '../../core/model/task-roles.ts';
import { plural } from '../../core/text.ts';
import type { ControlDeps } from '../deps.ts';
import { admitInstances as admit } from '../hosts/instances.ts';
import { createAccessKeys } from '../keys/access-keys.ts';
import { createJoinTokens } from '../keys/join-tokens.ts';
import { accessKeysPage, type ListedAccessKey } from '../store/access-keys.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers, Principal } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { activeClusterName, clusterMeant } from './references.ts';

const invalid = (field: string, message: string): GantryError =>
  new GantryError('InvalidParameterException', message, { field });

/** IAM's own rule, without its paths. */
const userNamePattern = /^[\w+=,.@-]{1,64}$/;

export const createAccessKey: Handlers['CreateAccessKey'] = async ({ deps, principal: maker }, input) => {
  const { userName, actions, clusters } = input;
  if (!userNamePattern.test(userName)) {
    throw invalid('userName', 'userName must be 1 to 64 letters, digits and the characters _+=,.@-.');
  }
  if (actions.length === 0) throw invalid('actions', 'actions must name at least one action.');
  const arn = `arn:aws:iam::${deps.realm.accountId}:user/${userName}`;
  const principal = {
    arn,
    actions: [...new Set(actions)],
    clusters: clustersOf(deps, clusters),
    ...taskRightsOf(deps.realm.accountId, input),
  };
  refuseMore(maker, principal);
  const { secretAccessKey, ...made } = await createAccessKeys(deps).create(principal);
  deps.log.info({ accessKeyId: made.accessKeyId, ...principal }, 'an access key was made');
  return { accessKey: accessKeyView(made), secretAccessKey };
};

/** Names, which need not exist yet: the key is for the cluster of that name whenever there is one. */
function clustersOf(deps: ControlDeps, references: readonly string[] | undefined): 'all' | string[] {
  if (references === undefined) return 'all';
  if (references.length === 0) throw invalid('clusters', 'clusters must name at least one cluster, or be left out.');
  refuseTooMany('clusters', references);
  const names = references.map((reference, index) => clusterMeant(deps, reference, `clusters[${index}]`));
  const wrong = names.findIndex((name) => !namePattern.test(name));
  if (wrong >= 0) throw invalid(`clusters[${wrong}]`, `clusters[${wrong}] is not the name of a cluster.`);
  return [...new Set(names)];
}

type TaskRights = Pick<Rights, 'taskRoles' | 'hostAccess' | 'maxWaitingTasks'>;

/** A role, by name or ARN, with `*` for any text. */
const rolePattern = /^(\*|(arn:[\w-]+:iam::(\d{12}|\*):role\/)?[\w+=,.@/*-]{1,576})$/;
const mostWaitingTasks = 100_000;

function taskRightsOf(accountId: string, input: Input<'CreateAccessKey'>): TaskRights {
  const { taskRoles = [], hostAccess = [], maxWaitingTasks } = input;
  refuseTooMany('taskRoles', taskRoles);
  const wrong = taskRoles.findIndex((role) => !rolePattern.test(role));
  if (wrong >= 0)
    throw parameterFault(
      `taskRoles[${wrong}]`,
      `taskRoles[${wrong}] is not the ARN or the name of an IAM role.`,
      'In both, * stands for any text.',
    );
  checkRange(parameterFault, 'maxWaitingTasks', maxWaitingTasks, [0, mostWaitingTasks]);
  return {
    taskRoles: [...new Set(taskRoles.map((role) => roleArn(accountId, role)))],
    hostAccess: hostAccessKinds.filter((kind) => hostAccess.includes(kind)),
    maxWaitingTasks,
  };
}

/** Who may administer all clusters may give every action; but nobody gives tasks more than his own may take. */
function refuseMore(maker: Principal, wanted: TaskRights): void {
  const role = wanted.taskRoles.find((pattern) => !mayTakeRole(maker, pattern));
  if (role !== undefined) throw notHad(maker, 'taskRoles', `tasks that take the role ${role}`);
  const access = wanted.hostAccess.find((kind) => !maker.hostAccess.includes(kind));
  if (access !== undefined) throw notHad(maker, 'hostAccess', `the host access '${access}'`);
  const { maxWaitingTasks: most = Number.POSITIVE_INFINITY } = maker;
  if ((wanted.maxWaitingTasks ?? Number.POSITIVE_INFINITY) > most)
    throw notHad(maker, 'maxWaitingTasks', `more than ${plural(most, 'waiting task')}`);
}

const notHad = ({ arn }: Principal, field: string, what: string): GantryError =>
  new GantryError('AccessDeniedException', `${arn} is not allowed to give a key ${what}.`, {
    field,
    hint: 'A key gives no more than it has: use one that has it, such as the first key of `gantry up`.',
  });

const accessKeyView = ({
  accessKeyId,
  principal,
  createdAt,
}: ListedAccessKey): Output<'CreateAccessKey'>['accessKey'] => ({
  accessKeyId,
  principalArn: principal.arn,
  actions: principal.actions,
  ...(principal.clusters === 'all' ? {} : { clusters: principal.clusters }),
  taskRoles: principal.taskRoles,
  hostAccess: principal.hostAccess,
  ...(principal.maxWaitingTasks !== undefined && { maxWaitingTasks: principal.maxWaitingTasks }),
  createdAt: new Date(createdAt),
});

export const listAccessKeys: Handlers['ListAccessKeys'] = async ({ deps }, input) => {
  const limit = pageSize(input.limit, 'limit');
  const after = input.nextToken === undefined ? {} : { after: decodeToken(z.string().min(1), input.nextToken) };
  const { accessKeys, next } = await accessKeysPage(deps.table, { limit, ...after });
  return { accessKeys: accessKeys.map(accessKeyView), ...nextTokenOf(next) };
};

export const deleteAccessKey: Handlers['DeleteAccessKey'] = async ({ deps }, { accessKeyId }) => {
  const isId = /^[A-Z0-9]{20}$/.test(accessKeyId);
  if (!isId || !(await createAccessKeys(deps).delete(accessKeyId))) {
    const message = `There is no access key ${accessKeyId}.`;
    throw new GantryError('ResourceNotFoundException', message, { field: 'accessKeyId' });
  }
  deps.log.info({ accessKeyId }, 'an access key was deleted');
  return {};
};

const tokenLifetimeSeconds = { usual: 3600, most: 365 * 24 * 3600 };

export const createJoinToken: Handlers['CreateJoinToken'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const { reusable = false, lifetimeSeconds = tokenLifetimeSeconds.usual } = input;
  if (lifetimeSeconds < 1 || lifetimeSeconds > tokenLifetimeSeconds.most) {
    throw invalid('lifetimeSeconds', `lifetimeSeconds must be between 1 and ${tokenLifetimeSeconds.most}.`);
  }
  const expiresAt = new Date(deps.clock.now() + lifetimeSeconds * 1000);
  const joinToken = await createJoinTokens(deps).create({ cluster, reusable, lifetimeSeconds });
  const { certificatePin } = deps.settings;
  return { joinToken, expiresAt, ...(certificatePin !== undefined && { certificatePin }) };
};

const instanceIdPattern = /^i-([0-9a-f]{8}|[0-9a-f]{17})$/;

export const admitInstances: Handlers['AdmitInstances'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const { instanceIds } = input;
  if (instanceIds.length === 0) throw invalid('instanceIds', 'instanceIds must name at least one instance.');
  refuseTooMany('instanceIds', instanceIds);
  const wrong = instanceIds.findIndex((id) => !instanceIdPattern.test(id));
  if (wrong >= 0) throw invalid(`instanceIds[${wrong}]`, `instanceIds[${wrong}] is not the id of an EC2 instance.`);
  const admitted = await admit(deps, cluster, instanceIds);
  return {
    instances: admitted.map(({ instanceId, hostId }) => ({
      instanceId,
      ...(hostId === undefined ? {} : { containerInstanceArn: containerInstanceArn(deps.realm, cluster, hostId) }),
    })),
  };
};
