/** The function `fleet`. Its clients of EC2 and of the price list are in no other. */
import { Ec2Fleet } from '../../control/fleet/ec2/ec2-fleet.ts';
import { priceListPrices } from '../../control/fleet/ec2/prices.ts';
import { getHostSupply } from '../../control/store/host-supplies.ts';
import { fleetEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createFleetHandler } from './handler.ts';
import { rememberingOffers } from './remembered-offers.ts';

const environment = fleetEnvironment(process.env);
const instruments = await openInstruments(environment);
const { AWS_REGION: region, GANTRY_CONTROL_PLANE: controlPlane } = environment;
const deps = await startControl(environment, instruments);
const ec2 = new Ec2Fleet({
  region,
  controlPlane,
  supply: (cluster) => getHostSupply(deps.table, cluster),
  prices: priceListPrices({ region }),
  now: deps.clock.now,
  log: deps.log,
});
const fleet = rememberingOffers(deps, ec2);

export const handler = instruments.watched('fleet', createFleetHandler({ ...deps, fleet, catalogue: fleet }));
