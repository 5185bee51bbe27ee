/** The function `fleet`. */
import { fleetEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createFleetHandler } from './handler.ts';
import { rememberingOffers } from './remembered-offers.ts';

const environment = fleetEnvironment(process.env);
const instruments = await openInstruments(environment);
const { AWS_REGION: region, GANTRY_CONTROL_PLANE: controlPlane } = environment;
const deps = await startControl(environment, instruments);
// Not before: what Node shows of a start that fails would be lost among the client's half a megabyte.
const { openEc2 } = await import('./ec2.ts');
const fleet = rememberingOffers(deps, openEc2(deps, { region, controlPlane }));

export const handler = instruments.watched('fleet', createFleetHandler({ ...deps, fleet, catalogue: fleet }));
