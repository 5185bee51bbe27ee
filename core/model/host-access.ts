/**
 * By which members of a task definition its tasks reach their host, and which right of a key each needs. Those that Gantry does not honour
 * are here too: who may not use one learns that first. Reads a request as it was written, or a revision as it is stored.
 */
import type { HostAccess } from './rights.ts';

export interface HostReach {
  readonly access: HostAccess;
  /** The member by which, for example `containerDefinitions[0].privileged`. */
  readonly field: string;
}

/** Each member once, in the order of the definition. */
export function hostReachOf(definition: object): HostReach[] {
  const reaches: HostReach[] = [];
  const note = (reached: boolean, access: HostAccess, field: string): void => {
    if (reached) reaches.push({ access, field });
  };
  note(memberOf(definition, 'networkMode') === 'host', 'host-network', 'networkMode');
  for (const mode of ['pidMode', 'ipcMode']) note(memberOf(definition, mode) === 'host', 'privileged', mode);
  for (const [index, volume] of listOf(memberOf(definition, 'volumes')).entries()) {
    const source = memberOf(memberOf(volume, 'host'), 'sourcePath');
    note(isGiven(source), 'host-paths', `volumes[${index}].host.sourcePath`);
    // A local volume may be a bind mount of any path or device.
    const driverOpts = memberOf(memberOf(volume, 'dockerVolumeConfiguration'), 'driverOpts');
    note(isGiven(driverOpts), 'host-paths', `volumes[${index}].dockerVolumeConfiguration.driverOpts`);
  }
  for (const [index, container] of listOf(memberOf(definition, 'containerDefinitions')).entries())
    for (const member of reachOfContainer(container))
      note(true, 'privileged', `containerDefinitions[${index}].${member}`);
  return reaches;
}

/** What gives root in a container more than Docker's default profile does. */
function reachOfContainer(container: unknown): string[] {
  const linux = memberOf(container, 'linuxParameters');
  const options = listOf(memberOf(container, 'dockerSecurityOptions'));
  return [
    ...(isGiven(memberOf(container, 'privileged')) ? ['privileged'] : []),
    ...(isGiven(memberOf(memberOf(linux, 'capabilities'), 'add')) ? ['linuxParameters.capabilities.add'] : []),
    ...(isGiven(memberOf(linux, 'devices')) ? ['linuxParameters.devices'] : []),
    // All others change or lift the profile.
    ...(options.some((option) => !String(option).startsWith('no-new-privileges')) ? ['dockerSecurityOptions'] : []),
  ];
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Tools send `false`, an empty text and an empty list for what they leave alone. */
function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
