/**
 * `npm run test:host`: boots a virtual machine (QEMU, in software) for the instance that the deployed control plane buys, with the very
 * user data of the synthesized launch template, and takes it through the life of a host. Installs QEMU and what makes the machine's disk
 * where they are missing; the first run makes that disk from Debian's packages (a minute) and keeps it in /var/cache/gantry. Needs root.
 * Not part of `npm test`, which installs no QEMU.
 */
import { runGuestTests } from './guest-tests.mjs';
import { main } from './setup.mjs';

await main(() => runGuestTests('test:host', 'test/guest/vitest.config.ts'));
