/**
 * `user[:group]`, as a task definition or an image writes it, as numbers. Names are looked up in the image's own /etc/passwd and
 * /etc/group; they mean nothing on the host.
 */
import type { ProcessUser } from './runtime-spec.ts';

/** The files of an image, or of something that stands for one in a test. */
export interface AccountFiles {
  passwd(): Promise<string | undefined>;
  group(): Promise<string | undefined>;
}

const maxId = 2 ** 32 - 2; // The greatest one stands for "none" in system calls.

const root: ProcessUser = { uid: 0, gid: 0, additionalGids: [] };

/** True where the answer does not depend on the image's files. */
const isNumericUser = (user: string): boolean => user === '' || /^\d+:\d+$/.test(user);

/**
 * By Docker's rules: without a group the account's own group and the groups that list it as a member, root's (0) for a number
 * without an account; with a group only that one. Throws an Error with a sentence when a name is unknown.
 */
export async function resolveUser(user: string, files: AccountFiles): Promise<ProcessUser> {
  if (user === '') return root;
  const [userPart = '', groupPart = ''] = user.split(':', 2);
  if (isNumericUser(user)) return { uid: id(userPart, user), gid: id(groupPart, user), additionalGids: [] };
  const account = findAccount((await files.passwd()) ?? '', userPart);
  if (account === undefined && !isNumber(userPart))
    throw new Error(`The user "${userPart}" is not in the image's /etc/passwd. Use a name that is, or a number.`);
  const uid = account?.uid ?? id(userPart, user);
  if (groupPart !== '') return { uid, gid: await groupId(groupPart, user, files), additionalGids: [] };
  const groups = account === undefined ? [] : groupsOf((await files.group()) ?? '', account.name);
  return { uid, gid: account?.gid ?? 0, additionalGids: groups };
}

async function groupId(group: string, user: string, files: AccountFiles): Promise<number> {
  if (isNumber(group)) return id(group, user);
  const found = entries((await files.group()) ?? '').find(([name]) => name === group);
  if (found === undefined)
    throw new Error(`The group "${group}" is not in the image's /etc/group. Use a name that is, or a number.`);
  return id(found[2] ?? '', user);
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A name that is all digits is taken for a number unless an account is called so, as the shell tools do. */
function findAccount(passwd: string, user: string): Account | undefined {
  const accounts = entries(passwd);
  const found =
    accounts.find(([name]) => name === user) ??
    accounts.find(([, , uid = '']) => isNumber(user) && isNumber(uid) && Number(uid) === Number(user));
  if (found === undefined) return undefined;
  const [name = '', , uid = '', gid = ''] = found;
  return { name, uid: id(uid, user), gid: id(gid, user) };
}

function groupsOf(group: string, member: string): number[] {
  return entries(group).flatMap(([, , gid = '', members = '']) =>
    members.split(',').includes(member) && isNumber(gid) ? [id(gid, member)] : [],
  );
}

/** The colon-separated fields of each line. */
function entries(file: string): string[][] {
  return file.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.trim().split(':')]));
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

function id(text: string, user: string): number {
  const value = isNumber(text) ? Number(text) : Number.NaN;
  if (!(value <= maxId)) throw new Error(`The user "${user}" needs ids from 0 to ${maxId}; "${text}" is none.`);
  return value;
}
