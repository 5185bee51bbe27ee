/** EC2 as this function's fleet. Alone imports the clients of EC2 and of the price list. */
import type { ControlDeps } from '../../control/deps.ts';
import { Ec2Fleet } from '../../control/fleet/ec2/ec2-fleet.ts';
import { priceListPrices } from '../../control/fleet/ec2/prices.ts';
import type { Fleet } from '../../control/fleet/fleet.ts';
import { getHostSupply } from '../../control/store/host-supplies.ts';

export const openEc2 = (
  { table, clock, log }: Pick<ControlDeps, 'table' | 'clock' | 'log'>,
  where: { readonly region: string; readonly controlPlane: string },
): Fleet =>
  new Ec2Fleet({
    ...where,
    supply: (cluster) => getHostSupply(table, cluster),
    prices: priceListPrices(where),
    now: clock.now,
    log,
  });
