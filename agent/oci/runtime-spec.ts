/** The parts of the OCI runtime specification that Gantry writes. The names are the specification's own. */

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: SpecProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly SpecMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly namespaces: readonly SpecNamespace[];
    readonly cgroupsPath: string;
    readonly resources: SpecResources;
    readonly seccomp: SpecSeccomp;
    readonly sysctl?: Readonly<Record<string, string>>;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
  };
}

export interface SpecProcess {
  readonly terminal: boolean;
  readonly user: ProcessUser;
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: {
    readonly bounding: readonly string[];
    readonly effective?: readonly string[];
    readonly permitted?: readonly string[];
  };
  readonly rlimits?: readonly SpecRlimit[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj: number;
}

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/** The specification's number for "no limit" is 2^64-1, which no JavaScript number holds: `toJson` writes it. */
export interface SpecRlimit {
  readonly type: string;
  readonly soft: number | 'unlimited';
  readonly hard: number | 'unlimited';
}

export interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface SpecNamespace {
  readonly type: 'mount' | 'pid' | 'ipc' | 'uts' | 'network' | 'cgroup';
  /** Absent: a new one. */
  readonly path?: string;
}

export interface SpecResources {
  readonly memory?: { readonly limit?: number; readonly reservation?: number; readonly swap?: number };
  readonly cpu: { readonly shares: number; readonly quota?: number; readonly period?: number };
  readonly pids: { readonly limit: number };
  readonly devices: readonly SpecDeviceRule[];
}

export interface SpecDeviceRule {
  readonly allow: boolean;
  readonly type?: 'b' | 'c';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface SpecSeccomp {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SpecSyscalls[];
}

export interface SpecSyscalls {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly SpecSyscallArgument[];
}

export interface SpecSyscallArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_MASKED_EQ';
}

/** The specification as the bytes of its JSON form. */
export function toJson(spec: RuntimeSpec): Uint8Array {
  // A quotation mark inside a string is escaped, so this text can only be a member of ours.
  const text = JSON.stringify(spec).replaceAll(/"(soft|hard)":"unlimited"/g, '"$1":18446744073709551615');
  return Buffer.from(text);
}
