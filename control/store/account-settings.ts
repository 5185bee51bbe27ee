/** Access paths of account settings: one partition, by principal and name. */
import { z } from 'zod';
import { itemOf, parseItem } from './item.ts';
import { keys } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, Table } from './table.ts';

const storedSettingSchema = z.object({ principalArn: z.string(), name: z.string(), value: z.string() });
export type StoredSetting = z.infer<typeof storedSettingSchema>;

/** Values by name. */
export const settingsOf = async (table: Table, principalArn: string): Promise<Map<string, string>> => {
  const { pk, sk } = keys.accountSetting(principalArn, '');
  const items = await queryAll(table, pk, { prefix: sk });
  return new Map(items.map((item) => parseItem(storedSettingSchema, item)).map(({ name, value }) => [name, value]));
};

export const putSetting = (setting: StoredSetting): Change => ({
  kind: 'put',
  item: itemOf(keys.accountSetting(setting.principalArn, setting.name), setting),
  when: [],
});

export const deleteSetting = (principalArn: string, name: string): Change => ({
  kind: 'delete',
  key: keys.accountSetting(principalArn, name),
  when: [],
});
