/** ListAccountSettings, PutAccountSetting, PutAccountSettingDefault, DeleteAccountSetting. */
import { z } from 'zod';
import type { Output } from '../../core/api/operations.ts';
import {
  accountSetting,
  accountSettingNames,
  checkAccountSetting,
  usualValue,
} from '../../core/model/account-settings.ts';
import { parameterFault } from '../../core/model/faults.ts';
import type { ControlDeps } from '../deps.ts';
import { deleteSetting, putSetting, settingsOf } from '../store/account-settings.ts';
import type { Handlers, OperationContext } from './context.ts';
import { decodeToken, nextTokenOf } from './paging.ts';

type View = Output<'PutAccountSetting'>['setting'];

/** What holds for principals without a setting of their own is set for it. */
const rootArn = ({ realm }: ControlDeps): string => `arn:aws:iam::${realm.accountId}:root`;

/** The caller where none is named. Throws InvalidParameterException unless it is a principal of this account. */
function principalMeant({ deps, principal }: OperationContext, principalArn: string | undefined): string {
  if (principalArn === undefined) return principal.arn;
  const { accountId } = deps.realm;
  if (
    new RegExp(`^arn:aws[a-z-]*:(iam|sts)::${accountId}:(root|(user|role|assumed-role)/[^#]{1,512})$`).test(
      principalArn,
    )
  )
    return principalArn;
  throw parameterFault('principalArn', `Invalid principal ARN: ${principalArn}.`, `Name a principal of ${accountId}.`);
}

const viewOf = (principalArn: string, name: string, value: string): View => {
  const { type, effect } = accountSetting(name);
  return { name, value, principalArn, type, effect };
};

export const putAccountSetting: Handlers['PutAccountSetting'] = (context, { name, value, principalArn }) =>
  put(context, principalMeant(context, principalArn), name, value);

export const putAccountSettingDefault: Handlers['PutAccountSettingDefault'] = (context, { name, value }) =>
  put(context, rootArn(context.deps), name, value);

async function put({ deps }: OperationContext, principalArn: string, name: string, value: string) {
  checkAccountSetting(name, value);
  await deps.table.commit([putSetting({ principalArn, name, value })]);
  return { setting: viewOf(principalArn, name, value) };
}

/** Answers what holds from then on. */
export const deleteAccountSetting: Handlers['DeleteAccountSetting'] = async (context, { name, principalArn }) => {
  const { deps } = context;
  accountSetting(name);
  const arn = principalMeant(context, principalArn);
  await deps.table.commit([deleteSetting(arn, name)]);
  const defaults = await settingsOf(deps.table, rootArn(deps));
  return { setting: viewOf(arn, name, defaults.get(name) ?? usualValue(name)) };
};

/** ECS' own limit, and what is answered where none is asked for. */
const largestPage = 10;

export const listAccountSettings: Handlers['ListAccountSettings'] = async (context, input) => {
  const { deps } = context;
  const { name, value, effectiveSettings = false, maxResults = largestPage, nextToken } = input;
  if (maxResults < 1 || maxResults > largestPage)
    throw parameterFault('maxResults', `maxResults must be between 1 and ${largestPage}.`);
  if (name !== undefined) accountSetting(name);
  if (value !== undefined && name === undefined)
    throw parameterFault('value', 'value needs name.', 'Name the setting too.');
  const arn = principalMeant(context, input.principalArn);
  const own = await settingsOf(deps.table, arn);
  const defaults = effectiveSettings ? await settingsOf(deps.table, rootArn(deps)) : new Map<string, string>();
  const after = nextToken === undefined ? '' : decodeToken(z.string(), nextToken);
  const found = accountSettingNames.flatMap((one) => {
    const held = own.get(one) ?? defaults.get(one) ?? (effectiveSettings ? usualValue(one) : undefined);
    const fits = (name ?? one) === one && (value ?? held) === held && one > after;
    return fits && held !== undefined ? [viewOf(arn, one, held)] : [];
  });
  const settings = found.slice(0, maxResults);
  return { settings, ...nextTokenOf(found.length > maxResults ? settings.at(-1)?.name : undefined) };
};
