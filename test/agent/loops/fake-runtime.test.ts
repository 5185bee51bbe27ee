/** The fake host keeps the promises that the loops are tested on. */
import { FakeHost, fakeCommands } from '../../support/fake-runtime.ts';
import { describeRuntime } from '../runtime-conformance.ts';

describeRuntime('fake', async () => {
  const host = new FakeHost();
  return {
    runtime: host.open(),
    reopen: async () => host.open(),
    image: 'busybox',
    missingImage: 'no-such-image',
    commands: fakeCommands,
    async [Symbol.asyncDispose]() {
      // It is only memory.
    },
  };
});
