/** A real AWS account as a place where the smoke test runs: that of the credentials that AWS' own tools would find here. */
import { randomBytes } from 'node:crypto';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { z } from 'zod';
import { createClient } from '../../client/client.ts';
import { Cdk, type Context } from './cdk.ts';
import { callQueryApi } from './query-api.ts';
import type { Site } from './site.ts';

export interface Account extends Site {
  readonly id: string;
  readonly stackName: string;
}

export interface AccountOptions {
  readonly region: string;
  readonly directory: string;
  /** Beyond what the smoke test itself needs. */
  readonly context: Context;
}

/** Throws where no credentials are found, or STS does not take them. */
export async function openAccount({ region, directory, context: more }: AccountOptions): Promise<Account> {
  const credentials = defaultProvider();
  const id = await accountId(region, await credentials());
  const stackName = `GantrySmoke${randomBytes(3).toString('hex')}`;
  const context = {
    hosts: '1',
    // Of which one is bought, when the other has gone.
    maxHosts: '1',
    maxHourlyUsd: '0.2',
    removalPolicy: 'destroy',
    heartbeatSeconds: '20',
    ...more,
  };
  const cdk = new Cdk({
    stackName,
    directory,
    env: { ...process.env, AWS_REGION: region, AWS_DEFAULT_REGION: region },
    timeoutMs: 45 * 60_000,
  });
  return {
    id,
    stackName,
    lacks: [],
    context,
    region,
    image: 'public.ecr.aws/docker/library/busybox:1.36',
    async deploy(wanted) {
      const outputs = await cdk.deploy(wanted);
      const { Endpoint: endpoint, WireEndpoint: wireEndpoint } = outputs;
      return {
        outputs,
        endpoint,
        wireEndpoint,
        client: createClient({ endpoint, region, credentials, signingService: 'execute-api' }),
        credentials,
        bringHost: () => Promise.resolve(), // The stack has one.
      };
    },
    destroy: () => cdk.destroy(context),
  };
}

const identitySchema = z.object({
  GetCallerIdentityResponse: z.object({ GetCallerIdentityResult: z.object({ Account: z.string() }) }),
});

async function accountId(
  region: string,
  credentials: Awaited<ReturnType<ReturnType<typeof defaultProvider>>>,
): Promise<string> {
  const form = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
  const answer: unknown = JSON.parse(await callQueryApi({ service: 'sts', region, credentials, form }));
  return identitySchema.parse(answer).GetCallerIdentityResponse.GetCallerIdentityResult.Account;
}
