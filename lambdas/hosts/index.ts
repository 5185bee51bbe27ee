/** The function `hosts`. */
import { stsCallerIdentity } from '../../control/hosts/caller-identity.ts';
import { stsHost } from '../../core/instance-proof.ts';
import { hostsEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createHostsHandler } from './handler.ts';

const environment = hostsEnvironment(process.env);
const instruments = await openInstruments(environment);
const { AWS_REGION: region, AWS_ENDPOINT_URL_STS: stsEndpoint = `https://${stsHost(region)}` } = environment;
const deps = await startControl(environment, instruments, {
  callerIdentity: stsCallerIdentity(stsEndpoint),
  sealing: 'later',
});
const wakePath = new URL(environment.GANTRY_WAKE_URL).pathname;

export const handler = instruments.watched('hosts', createHostsHandler(deps, { wakePath }));
