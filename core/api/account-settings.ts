/** Inputs and outputs of the operations on ECS' account settings. */
import { z } from 'zod';
import { defineOperation } from './operation.ts';

const principalArn = z.string().optional();
const settingViewSchema = z
  .object({
    name: z.string(),
    value: z.string(),
    principalArn: z.string(),
    type: z.enum(['user', 'aws_managed']),
    /** Ours: what Gantry does with it. */
    effect: z.string(),
  })
  .meta({ id: 'Setting' });
const output = z.object({ setting: settingViewSchema });

export const accountSettingOperations = {
  ListAccountSettings: defineOperation({
    name: 'ListAccountSettings',
    summary: 'Lists what is set for a principal, or with effectiveSettings what holds for it',
    action: 'read',
    input: z.object({
      name: z.string().optional(),
      value: z.string().optional(),
      principalArn,
      effectiveSettings: z.boolean().optional(),
      maxResults: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ settings: z.array(settingViewSchema), nextToken: z.string().optional() }),
    errors: [],
    rest: { method: 'GET', path: '/v1/account-settings', status: 200 },
    wire: true,
  }),
  PutAccountSetting: defineOperation({
    name: 'PutAccountSetting',
    summary: 'Sets an account setting for the caller or another principal',
    action: 'administer',
    scope: 'store',
    input: z.object({ name: z.string(), value: z.string(), principalArn }),
    output,
    errors: [],
    rest: { method: 'PUT', path: '/v1/account-settings/{name}', status: 200 },
    wire: true,
  }),
  PutAccountSettingDefault: defineOperation({
    name: 'PutAccountSettingDefault',
    summary: 'Sets an account setting for every principal that has none of its own',
    action: 'administer',
    scope: 'store',
    input: z.object({ name: z.string(), value: z.string() }),
    output,
    errors: [],
    rest: { method: 'PUT', path: '/v1/account-setting-defaults/{name}', status: 200 },
    wire: true,
  }),
  DeleteAccountSetting: defineOperation({
    name: 'DeleteAccountSetting',
    summary: 'Takes away what is set for the caller or another principal',
    action: 'administer',
    scope: 'store',
    input: z.object({ name: z.string(), principalArn }),
    output,
    errors: [],
    rest: { method: 'DELETE', path: '/v1/account-settings/{name}', status: 200 },
    wire: true,
  }),
} as const;
