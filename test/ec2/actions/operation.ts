/** An action of EC2: its model in the SDK, and what this EC2 does for it. */
import type { RunInstances$ } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../errors.ts';

type OperationSchema = typeof RunInstances$;

export interface Operation {
  readonly schema: OperationSchema;
  readonly run: (request: unknown) => unknown;
}

/** What is read by the schema has the type of its request. */
export const operation = <Request, Answer>(schema: OperationSchema, run: (request: Request) => Answer): Operation => ({
  schema,
  run: (request) => run(request as Request),
});

/** It would have been done, had it been meant. */
export function refuseDryRun({ DryRun }: { readonly DryRun?: boolean | undefined }): void {
  if (DryRun === true) {
    throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  }
}
