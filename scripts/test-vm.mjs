/**
 * `npm run test:vm`: boots virtual machines (QEMU, in software) with systemd and cgroup v2, runs the tests with real containers in one, and
 * pulls the plug on others under load: a host, and a control plane with its store. Installs QEMU and what makes the machines' disk where
 * they are missing; the first run makes that disk from Debian's packages (a minute) and keeps it in /var/cache/gantry. Needs root. Not part
 * of `npm test`, which installs no QEMU.
 */
import { runGuestTests } from './guest-tests.mjs';
import { main } from './setup.mjs';

await main(() => runGuestTests('test:vm', 'test/vm/vitest.config.ts'));
