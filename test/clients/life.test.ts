/** The AWS CLI and the JavaScript SDK go the whole path, with only endpoint and keys changed. (boto3: `npm run test:clients`.) */
import { existsSync } from 'node:fs';
import { describe } from 'vitest';
import { describeUnless } from '../support/containers.ts';
import { awsCli, startAwsCli } from './aws-cli.ts';
import { ecsLife } from './ecs-life.ts';
import { environmentFor } from './environment.ts';
import { startJavascriptSdk } from './javascript-sdk.ts';

describe('the JavaScript SDK', () =>
  ecsLife(({ endpoint, region, credentials }) => startJavascriptSdk({ endpoint, region, credentials })));

describeUnless(existsSync(awsCli) ? undefined : `needs ${awsCli}`, 'the AWS CLI', () =>
  ecsLife((api) => startAwsCli(api.endpoint, environmentFor(api))),
);
