/** boto3 goes the whole path, as the AWS CLI and the JavaScript SDK do in life.test.ts. */
import { startBoto3 } from './boto3.ts';
import { ecsLife } from './ecs-life.ts';
import { environmentFor } from './environment.ts';

ecsLife((api) => startBoto3(environmentFor(api)));
