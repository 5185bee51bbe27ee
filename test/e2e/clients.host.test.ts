/** Our own client and unmodified ECS clients against real containers, on every platform. */
import { afterAll, beforeAll, describe } from 'vitest';
import { describeWithContainers } from '../support/containers.ts';
import { awsCommandLine } from './aws-cli.ts';
import { javascriptSdk } from './javascript-sdk.ts';
import { ownClient } from './own-client.ts';
import { platforms } from './platforms.ts';
import { type Stage, setStage } from './stage.ts';

for (const platform of platforms) {
  describeWithContainers(`on ${platform.name}`, () => {
    let stage: Stage;
    const theStage = () => stage;

    beforeAll(async () => {
      stage = await setStage(platform);
    });

    afterAll(() => stage?.[Symbol.asyncDispose]());

    describe('our own client', () => ownClient(theStage, platform));
    describe('the JavaScript SDK', () => javascriptSdk(theStage));
    describe('the AWS CLI', () => awsCommandLine(theStage));
  });
}
