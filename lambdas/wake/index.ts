/** The function `wake`. */
import { wakeEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { credentials, startControl } from '../start.ts';
import { fleetAsker, noFleet } from './ask-fleet.ts';
import { createWakeHandler } from './handler.ts';

const environment = wakeEnvironment(process.env);
const instruments = await openInstruments(environment);
const deps = await startControl(environment, instruments);
const { AWS_REGION: region, GANTRY_FLEET_FUNCTION: functionName } = environment;
const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
const { AWS_ENDPOINT_URL_LAMBDA: endpoint = `https://lambda.${region}.${domain}` } = environment;
const askFleet =
  functionName === undefined ? noFleet : fleetAsker(deps, { functionName, endpoint, region, credentials });

export const handler = instruments.watched('wake', createWakeHandler(deps, askFleet));
