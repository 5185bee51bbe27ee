/** What instances cost on demand, as the price list has it. */
import { describe, expect, it } from 'vitest';
import { priceListPrices } from '../../control/fleet/ec2/prices.ts';
import { defaultTypes } from '../ec2/instance-types.ts';
import { startLoopback } from '../ec2/loopback.ts';
import { startPricing } from '../ec2/pricing.ts';
import { credentials } from './support/ec2-fleet.ts';

describe('the prices of EC2', () => {
  it('are those of Linux on shared machines in the region, from all pages', async () => {
    await using pricing = await startPricing({ types: defaultTypes, region: 'eu-central-1', pageSize: 3 });
    const prices = priceListPrices({ region: 'eu-central-1', endpoint: pricing.url, credentials });
    expect(await prices()).toEqual(new Map(defaultTypes.map(({ name, onDemandUsd }) => [name, onDemandUsd])));
    expect(pricing.requests.length).toBeGreaterThan(1);
  });

  it('are asked for again when the list fails for a moment, and unknown when it goes on', async () => {
    await using pricing = await startPricing({ types: defaultTypes });
    const prices = priceListPrices({ region: 'us-east-1', endpoint: pricing.url, credentials });
    pricing.failNext({ kind: 'refuse-connection' });
    expect((await prices()).size).toBe(defaultTypes.length);
    pricing.failNext({ kind: 'error', code: 'AccessDeniedException' });
    await expect(prices()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it.each([
    ['us-west-2', 'us-east-1'],
    ['sa-east-1', 'us-east-1'],
    ['eu-north-1', 'eu-central-1'],
    ['me-south-1', 'eu-central-1'],
    ['ap-southeast-2', 'ap-south-1'],
    ['cn-north-1', 'cn-northwest-1'],
  ])('of %s are asked for in %s', async (region, at) => {
    await using list = await openList();
    await expect(priceListPrices({ region, endpoint: list.url, credentials })()).rejects.toThrow(
      `None of the 0 products in the price list in ${at} says what an instance costs in ${region}.`,
    );
    expect(list.scopes).toEqual([`${at}/pricing`]);
  });

  it('are not to be had in partitions without a list', async () => {
    await expect(priceListPrices({ region: 'us-gov-west-1', credentials })()).rejects.toThrow('has no price list');
  });

  it('are taken from what is an instance by the hour, in yuan where that is what is paid', async () => {
    await using list = await openList(
      product('t3.micro', { unit: 'Hrs', pricePerUnit: { CNY: '0.0884' } }),
      product('m7g.large', { unit: 'Hrs', pricePerUnit: { USD: '0.0816000000' } }, { marketoption: 'OnDemand' }),
      product('p5.48xlarge', { unit: 'Hrs', pricePerUnit: { USD: '31.4' } }, { marketoption: 'CapacityBlock' }),
      product('c7g.large', { unit: 'Hrs', pricePerUnit: { USD: '0.0000000000' } }),
      product('c7i.large', { unit: 'Quantity', pricePerUnit: { USD: '900' } }),
      JSON.stringify({ product: { attributes: {} }, terms: {} }),
      'no JSON',
    );
    const prices = await priceListPrices({ region: 'cn-north-1', endpoint: list.url, credentials })();
    expect([...prices]).toEqual([
      ['t3.micro', 0.0884],
      ['m7g.large', 0.0816],
    ]);
  });
});

const product = (instanceType: string, dimension: object, attributes: object = {}): string =>
  JSON.stringify({
    product: { attributes: { instanceType, ...attributes } },
    terms: { OnDemand: { 'SKU.TERM': { priceDimensions: { 'SKU.TERM.RATE': dimension } } } },
  });

/** A list of these products, whatever is asked for. */
async function openList(...PriceList: readonly string[]) {
  const scopes: string[] = [];
  const server = await startLoopback(async (request, response) => {
    const [, scope = ''] = /Credential=[^/]+\/\d+\/([^/]+\/[^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
    scopes.push(scope);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ PriceList }));
  });
  return Object.assign(server, { scopes });
}
