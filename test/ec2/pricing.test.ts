/** The price list, asked by the unmodified SDK. */
import {
  type Filter,
  GetProductsCommand,
  type GetProductsCommandInput,
  PricingClient,
  paginateGetProducts,
} from '@aws-sdk/client-pricing';
import { describe, expect, it } from 'vitest';
import { defaultTypes } from './instance-types.ts';
import { type PricingUnderTest, startPricing } from './pricing.ts';

const clientOf = ({ url }: PricingUnderTest) =>
  new PricingClient({
    endpoint: url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' },
  });

const where = (fields: Record<string, string>): Filter[] =>
  Object.entries(fields).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value }));

const linuxHosts = where({
  regionCode: 'us-east-1',
  operatingSystem: 'Linux',
  tenancy: 'Shared',
  capacitystatus: 'Used',
  preInstalledSw: 'NA',
});

interface Listed {
  readonly product: { readonly attributes: Readonly<Record<string, string>> };
  readonly terms: {
    readonly OnDemand: Record<string, { priceDimensions: Record<string, { pricePerUnit: { USD: string } }> }>;
  };
}

async function prices(pricing: PricingUnderTest, Filters: Filter[]): Promise<[string | undefined, number][]> {
  const found: [string | undefined, number][] = [];
  const pages = paginateGetProducts({ client: clientOf(pricing) }, { ServiceCode: 'AmazonEC2', Filters });
  for await (const { PriceList = [] } of pages) {
    for (const text of PriceList) {
      const { product, terms }: Listed = JSON.parse(String(text));
      const [term] = Object.values(terms.OnDemand);
      const [dimension] = Object.values(term?.priceDimensions ?? {});
      found.push([product.attributes.instanceType, Number(dimension?.pricePerUnit.USD)]);
    }
  }
  return found;
}

const ask = (pricing: PricingUnderTest, request: Partial<GetProductsCommandInput>) =>
  clientOf(pricing).send(new GetProductsCommand({ ServiceCode: 'AmazonEC2', ...request }));

describe('the price list', () => {
  it('has one price for each type, once all that looks alike is filtered out', async () => {
    await using pricing = await startPricing({ types: defaultTypes, pageSize: 3 });
    const found = await prices(pricing, linuxHosts);
    expect(new Map(found)).toEqual(new Map(defaultTypes.map(({ name, onDemandUsd }) => [name, onDemandUsd])));
    expect(found).toHaveLength(defaultTypes.length);
    expect(pricing.requests).toHaveLength(3);
  });

  it.each(linuxHosts.map(({ Field }) => Field))('has several prices for who forgets %s', async (field) => {
    await using pricing = await startPricing({ types: defaultTypes });
    const filters = [...where({ instanceType: 'm7g.large' }), ...linuxHosts.filter(({ Field }) => Field !== field)];
    const found = await prices(pricing, filters);
    expect(new Set(found.map(([, usd]) => usd)).size).toBeGreaterThan(1);
  });

  it.each<[string, Partial<GetProductsCommandInput>]>([
    ['ServiceCode', { ServiceCode: 'AmazonS3' }],
    ['MaxResults', { MaxResults: 101 }],
    ['Type', { Filters: [{ Type: 'CONTAINS', Field: 'instanceType', Value: 'm7' }] }],
    ['colour', { Filters: where({ colour: 'red' }) }],
  ])('refuses an invalid %s', async (named, request) => {
    await using pricing = await startPricing({ types: defaultTypes });
    const message = expect.stringContaining(named);
    await expect(ask(pricing, request)).rejects.toMatchObject({ name: 'InvalidParameterException', message });
  });

  it('refuses a token of another question', async () => {
    await using pricing = await startPricing({ types: defaultTypes });
    const { NextToken } = await ask(pricing, { MaxResults: 1 });
    await ask(pricing, { NextToken });
    const other = ask(pricing, { Filters: linuxHosts, NextToken });
    await expect(other).rejects.toMatchObject({ name: 'InvalidNextTokenException' });
  });

  it('goes wrong as a test wants it', async () => {
    await using pricing = await startPricing({ types: defaultTypes });
    pricing.failNext({ kind: 'throttle' });
    pricing.failNext({ kind: 'error', code: 'AccessDeniedException' });
    pricing.failNext({ kind: 'refuse-connection' });
    await expect(ask(pricing, {})).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(ask(pricing, {})).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(ask(pricing, {})).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await ask(pricing, {})).PriceList).toHaveLength(100);
  });

  it('needs a signature for this service', async () => {
    await using pricing = await startPricing({ types: defaultTypes });
    const headers = { 'x-amz-target': 'AWSPriceListService.GetProducts' };
    const response = await fetch(pricing.url, { method: 'POST', headers, body: '{"ServiceCode":"AmazonEC2"}' });
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });
});
