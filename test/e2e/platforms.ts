/**
 * What the end-to-end tests run on: one machine over SQLite, and over DynamoDB with faults injected between the server and the
 * emulator; and the AWS shape on loopback, which is the synthesized template with the functions' own bundles.
 */
import { type Capability, lacking } from '../../lambdas/capabilities.ts';
import { startAwsOnThisMachine } from '../cloud/this-machine.ts';
import { someFaults } from '../support/dynamodb-faults.ts';
import { startFaultyDynamo } from '../support/faulty-dynamo.ts';
import type { Cloud, CloudOptions } from './cloud.ts';
import { startOneMachine } from './one-machine.ts';

export interface Platform {
  readonly name: string;
  /** What it cannot do of what one machine can: the tests of these are left out on it, and nothing else is. */
  readonly lacks: readonly Capability[];
  readonly start: (options: CloudOptions) => Promise<Cloud>;
}

const sqlite: Platform = { name: 'SQLite', lacks: [], start: (options) => startOneMachine(options, []) };

const dynamodb: Platform = {
  name: 'DynamoDB with faults',
  lacks: [],
  async start(options) {
    await using started = new AsyncDisposableStack();
    const { endpoint } = started.use(await startFaultyDynamo({ seed: 7, rates: someFaults }));
    const cloud = started.use(await startOneMachine(options, ['--store', 'dynamodb', '--dynamodb-endpoint', endpoint]));
    const all = started.move();
    return { ...cloud, [Symbol.asyncDispose]: () => all.disposeAsync() };
  },
};

const aws: Platform = { name: 'the AWS shape on loopback', lacks: lacking, start: startAwsOnThisMachine };

export const platforms: readonly Platform[] = [sqlite, dynamodb, aws];

/** One of each control plane, for what does not depend on the store. */
export const shapes: readonly Platform[] = [sqlite, aws];
