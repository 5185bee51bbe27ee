/**
 * The gate of every test that needs real containers: it runs on Linux, as root, with the binaries that set-up brings; elsewhere
 * it is skipped, with the reason in its name; under CI=true, where nothing may be skipped quietly, it fails.
 */
import { describe, it } from 'vitest';
import { findExecutable } from '../../local/containerd.ts';

const neededBinaries = [
  'containerd',
  'containerd-shim-runc-v2',
  'runc',
  'ip',
  'iptables',
  'iptables-restore',
  'nsenter',
];

/** Why containers cannot run here; undefined when they can. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return `needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = neededBinaries.filter((name) => findExecutable(name) === undefined);
  return missing.length > 0 ? `needs ${missing.join(', ')} (npm test installs them)` : undefined;
}

/** `describe` for tests with real containers. */
export function describeWithContainers(name: string, define: () => void): void {
  describeUnless(whyNoContainers(), name, define);
}

/**
 * `describe`, left out where there is a reason (shown in the name of the group), which is a failure under CI=true.
 * For tests that need less than containers, such as one binary.
 */
export function describeUnless(reason: string | undefined, name: string, define: () => void): void {
  if (reason === undefined) describe(name, define);
  else if (process.env.CI === 'true') {
    describe(name, () => {
      it('can run here', () => {
        throw new Error(`Under CI=true nothing is skipped, but this ${reason}.`);
      });
    });
  } else describe.skip(`${name} [skipped: ${reason}]`, define);
}
