/**
 * The seccomp profile of containers: everything is refused with EPERM but what the table allows for this architecture, kernel
 * and set of capabilities. runc turns it into a filter; conditions are settled here, because runc knows none.
 */
import type { SpecSeccomp, SpecSyscalls } from './runtime-spec.ts';
import {
  allowedByArchitecture,
  allowedByCapability,
  allowedPersonalities,
  allowedSinceKernel,
  alwaysAllowed,
  architectures,
  cloneNamespaceFlags,
  refusedSocketFamily,
} from './seccomp-table.ts';

const EPERM = 1;
const ENOSYS = 38;

export interface SeccompTarget {
  /** As `process.arch`. */
  readonly architecture: string;
  /** As `os.release()`. */
  readonly kernelRelease: string;
  /** `CAP_…`, the container's bounding set. */
  readonly capabilities: readonly string[];
}

/** Throws an Error on an architecture that the table does not know. */
export function seccompProfile({ architecture, kernelRelease, capabilities }: SeccompTarget): SpecSeccomp {
  const own = architectures[architecture];
  if (own === undefined) throw new Error(`No seccomp profile is known for the architecture ${architecture}.`);
  const names = [
    ...alwaysAllowed,
    ...(allowedByArchitecture[architecture] ?? []),
    ...allowedSinceKernel.flatMap((since) => (isAtLeast(kernelRelease, since) ? since.names : [])),
    ...capabilities.flatMap((capability) => allowedByCapability[capability] ?? []),
  ];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: own,
    syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }, ...allowedByArgument()],
  };
}

/** Rules that look at arguments. */
function allowedByArgument(): SpecSyscalls[] {
  return [
    {
      names: ['socket'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: refusedSocketFamily, op: 'SCMP_CMP_NE' }],
    },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: cloneNamespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    // Its flags are behind a pointer, where a filter cannot look. ENOSYS makes C libraries fall back to clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ...allowedPersonalities.map(
      (value): SpecSyscalls => ({
        names: ['personality'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
      }),
    ),
  ];
}

function isAtLeast(release: string, { major, minor }: { readonly major: number; readonly minor: number }): boolean {
  const [ownMajor = 0, ownMinor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
