/** Unmodified ECS clients against real containers, over both stores. */
import { afterAll, beforeAll, describe } from 'vitest';
import { describeWithContainers } from '../support/containers.ts';
import { awsCommandLine } from './aws-cli.ts';
import { javascriptSdk } from './javascript-sdk.ts';
import { type Stage, setStage } from './stage.ts';
import { stores } from './stores.ts';

for (const store of stores) {
  describeWithContainers(`over ${store.name}`, () => {
    let stage: Stage;
    const theStage = () => stage;

    beforeAll(async () => {
      stage = await setStage(store);
    });

    afterAll(() => stage?.[Symbol.asyncDispose]());

    describe('the JavaScript SDK', () => javascriptSdk(theStage));
    describe('the AWS CLI', () => awsCommandLine(theStage));
  });
}
