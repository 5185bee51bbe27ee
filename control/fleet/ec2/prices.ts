/**
 * What instance types cost on demand: from AWS' price list, which is not EC2's, is served in few regions, and names its products in JSON
 * within JSON. Its client is loaded when prices are first wanted.
 */
import { z } from 'zod';
import { type AwsAccess, clientSettings } from './client.ts';

/** Dollars an hour by instance type, in one region: Linux, shared tenancy. */
export type OnDemandPrices = () => Promise<ReadonlyMap<string, number>>;

export const priceListPrices =
  (access: AwsAccess): OnDemandPrices =>
  async () => {
    const at = priceListRegion(access.region);
    const { PricingClient, paginateGetProducts } = await import('@aws-sdk/client-pricing');
    const client = new PricingClient(clientSettings({ ...access, region: at }));
    const prices = new Map<string, number>();
    let read = 0;
    try {
      const asked = { ServiceCode: 'AmazonEC2', Filters: filtersFor(access.region), FormatVersion: 'aws_v1' };
      for await (const { PriceList = [] } of paginateGetProducts({ client, pageSize: 100 }, asked))
        for (const product of PriceList) {
          read += 1;
          const price = priceOf(product);
          if (price !== undefined) prices.set(price.type, price.hourly);
        }
    } finally {
      client.destroy();
    }
    if (prices.size === 0)
      throw new Error(
        `None of the ${read} products in the price list in ${at} says what an instance costs in ${access.region}.`,
      );
    return prices;
  };

/** The nearest that serves the list. China's is China's own; other partitions have none. */
function priceListRegion(region: string): string {
  if (region.startsWith('cn-')) return 'cn-northwest-1';
  if (/^(?:us-gov|us-iso|us-isob|eu-isoe|eusc)-/.test(region))
    throw new Error(`The partition of ${region} has no price list: what instances cost there must be told otherwise.`);
  if (/^(?:eu|af|me|il)-/.test(region)) return 'eu-central-1';
  return region.startsWith('ap-') ? 'ap-south-1' : 'us-east-1';
}

const filtersFor = (regionCode: string) =>
  Object.entries({
    regionCode,
    operatingSystem: 'Linux',
    tenancy: 'Shared',
    preInstalledSw: 'NA',
    // Neither reserved and unused, nor part of a reservation.
    capacitystatus: 'Used',
  }).map(([Field, Value]) => ({ Type: 'TERM_MATCH' as const, Field, Value }));

/** China's are yuan: there, whatever is said in dollars is said in yuan. */
const amountSchema = z.union([
  z.object({ USD: z.coerce.number() }).transform(({ USD }) => USD),
  z.object({ CNY: z.coerce.number() }).transform(({ CNY }) => CNY),
]);

const productSchema = z.object({
  product: z.object({
    // Blocks of capacity are listed too, and are bought otherwise.
    attributes: z.object({ instanceType: z.string().min(1), marketoption: z.literal('OnDemand').optional() }),
  }),
  terms: z.object({
    OnDemand: z.record(
      z.string(),
      z.object({ priceDimensions: z.record(z.string(), z.object({ unit: z.string(), pricePerUnit: amountSchema })) }),
    ),
  }),
});

/** undefined for what is no instance by the hour, such as a host to oneself. */
function priceOf(json: string): { readonly type: string; readonly hourly: number } | undefined {
  const { data } = productSchema.safeParse(parsedJson(json));
  const hourly = Object.values(data?.terms.OnDemand ?? {})
    .flatMap(({ priceDimensions }) => Object.values(priceDimensions))
    .find(({ unit, pricePerUnit }) => unit === 'Hrs' && pricePerUnit > 0)?.pricePerUnit;
  return data === undefined || hourly === undefined
    ? undefined
    : { type: data.product.attributes.instanceType, hourly };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
