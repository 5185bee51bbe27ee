/**
 * AWS' Price List API on loopback, for EC2's products alone: GetProducts with filters and pages, in the shape of the real list. Beside
 * what a Linux host costs it lists what only looks like it (Windows, dedicated, reserved capacity, with SQL, other regions), at other
 * prices, so that who forgets a filter is wrong. Signatures are not verified, but there must be one.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { InstanceTypeFacts } from './instance-types.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';

export interface PricingOptions {
  readonly types: readonly InstanceTypeFacts[];
  /** `us-east-1` where nothing is said. */
  readonly region?: string;
  /** At most that many on a page. */
  readonly pageSize?: number;
}

export interface PricingFault {
  readonly kind: 'throttle' | 'error' | 'refuse-connection';
  /** Of an error: InternalErrorException where none is given. */
  readonly code?: string;
  /** How many requests it meets: 1 where nothing is said. */
  readonly times?: number;
}

export interface PricingUnderTest extends AsyncDisposable {
  readonly url: string;
  /** Bodies that came, in order, also of what was refused. */
  readonly requests: readonly unknown[];
  failNext(fault: PricingFault): void;
}

const requestSchema = z.strictObject({
  ServiceCode: z.literal('AmazonEC2'),
  Filters: z
    .array(z.strictObject({ Type: z.literal('TERM_MATCH'), Field: z.string(), Value: z.string() }))
    .max(50)
    .default([]),
  FormatVersion: z.literal('aws_v1').default('aws_v1'),
  MaxResults: z.int().min(1).max(100).default(100),
  NextToken: z.string().optional(),
});

class PricingError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export async function startPricing(options: PricingOptions): Promise<PricingUnderTest> {
  const products = productsOf(options);
  const requests: unknown[] = [];
  const faults: PricingFault[] = [];

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = parsedOrText(await text(request));
    requests.push(body);
    const fault = faults.shift();
    if (fault?.kind === 'refuse-connection') return void request.socket.destroy();
    try {
      requireTarget(request);
      if (fault !== undefined) throw errorOf(fault);
      send(response, 200, answerTo(products, body, options.pageSize));
    } catch (error) {
      const { code, message } = error instanceof PricingError ? error : faultOfOurs(error);
      send(response, code === 'InternalErrorException' ? 500 : 400, { __type: code, message });
    }
  }

  const server: LoopbackServer = await startLoopback(serve);
  return {
    url: server.url,
    requests,
    failNext(fault) {
      faults.push(...Array.from({ length: fault.times ?? 1 }, () => fault));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const send = (response: ServerResponse, status: number, body: object): void =>
  void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));

/** What is no JSON is refused by the schema, and seen by the test as it came. */
function parsedOrText(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Shown, so that no test takes it for AWS'. */
const faultOfOurs = (error: unknown): PricingError =>
  new PricingError(
    'InternalErrorException',
    `test/ec2 failed: ${error instanceof Error ? error.stack : String(error)}`,
  );

function requireTarget({ headers }: IncomingMessage): void {
  if (headers['x-amz-target'] !== 'AWSPriceListService.GetProducts') {
    throw new PricingError('UnknownOperationException', `Not known here: ${String(headers['x-amz-target'])}`);
  }
  const isSigned = /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[^/]+\/pricing\//.test(headers.authorization ?? '');
  if (!isSigned) throw new PricingError('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

const errorOf = ({ kind, code = 'InternalErrorException' }: PricingFault): PricingError =>
  kind === 'throttle'
    ? new PricingError('ThrottlingException', 'Rate exceeded')
    : new PricingError(code, `${code}: the test wants it so.`);

function answerTo(products: readonly Product[], body: unknown, pageSize = 100): object {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) throw new PricingError('InvalidParameterException', z.prettifyError(parsed.error));
  const { Filters, MaxResults, NextToken, FormatVersion } = parsed.data;
  const unknown = Filters.find(({ Field }) => products.every(({ attributes }) => !(Field in attributes)));
  if (unknown !== undefined) {
    throw new PricingError('InvalidParameterException', `Filters: products have no attribute ${unknown.Field}`);
  }
  const matching = products.filter(({ attributes }) =>
    Filters.every(({ Field, Value }) => attributes[Field]?.toLowerCase() === Value.toLowerCase()),
  );
  const from = NextToken === undefined ? 0 : positionIn(NextToken, JSON.stringify(Filters));
  const to = from + Math.min(MaxResults, pageSize);
  return {
    FormatVersion,
    PriceList: matching.slice(from, to).map((product) => JSON.stringify(listed(product))),
    ...(to < matching.length && { NextToken: tokenFor(to, JSON.stringify(Filters)) }),
  };
}

/** A token of one question does not do for another. */
const tokenFor = (position: number, filters: string): string =>
  `${Buffer.from(JSON.stringify([position, filters])).toString('base64')}`;

function positionIn(token: string, filters: string): number {
  const schema = z.tuple([z.int().positive(), z.literal(filters)]);
  try {
    return schema.parse(JSON.parse(Buffer.from(token, 'base64').toString()))[0];
  } catch {
    throw new PricingError(
      'InvalidNextTokenException',
      'The pagination token is invalid. Try again without a pagination token.',
    );
  }
}

interface Product {
  readonly sku: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly usd: number;
}

const plain = {
  operatingSystem: 'Linux',
  tenancy: 'Shared',
  capacitystatus: 'Used',
  preInstalledSw: 'NA',
  operation: 'RunInstances',
  licenseModel: 'No License required',
  marketoption: 'OnDemand',
};

/** What is sold of each type, by what it costs of the plain price. */
const variants: readonly { readonly of: Partial<typeof plain>; readonly factor: number }[] = [
  { of: {}, factor: 1 },
  { of: { operatingSystem: 'Windows', operation: 'RunInstances:0002' }, factor: 1.9 },
  { of: { operatingSystem: 'RHEL', operation: 'RunInstances:0010' }, factor: 1.3 },
  { of: { preInstalledSw: 'SQL Web', operation: 'RunInstances:0200' }, factor: 1.7 },
  { of: { tenancy: 'Dedicated' }, factor: 1.1 },
  { of: { tenancy: 'Host' }, factor: 0 },
  { of: { capacitystatus: 'UnusedCapacityReservation' }, factor: 1.01 },
  { of: { capacitystatus: 'AllocatedCapacityReservation' }, factor: 0 },
];

function productsOf({ types, region = 'us-east-1' }: PricingOptions): Product[] {
  const regions = [
    { regionCode: region, factor: 1 },
    { regionCode: region === 'eu-west-1' ? 'eu-west-2' : 'eu-west-1', factor: 1.12 },
  ];
  const products = types.flatMap((type) =>
    regions.flatMap(({ regionCode, factor }) =>
      variants.map((variant) => productOf(type, regionCode, variant.of, type.onDemandUsd * factor * variant.factor)),
    ),
  );
  // In no order that means anything, as in the real list.
  return products.toSorted((a, b) => (a.sku < b.sku ? -1 : 1));
}

function productOf(type: InstanceTypeFacts, regionCode: string, variant: Partial<typeof plain>, usd: number): Product {
  const attributes = {
    servicecode: 'AmazonEC2',
    servicename: 'Amazon Elastic Compute Cloud',
    locationType: 'AWS Region',
    regionCode,
    instanceType: type.name,
    currentGeneration: 'Yes',
    vcpu: `${type.vcpus}`,
    memory: `${type.memoryMib / 1024} GiB`,
    physicalProcessor:
      type.architecture === 'arm64' ? 'AWS Graviton3 Processor' : 'Intel Xeon Scalable (Sapphire Rapids)',
    processorArchitecture: '64-bit',
    usagetype: `BoxUsage:${type.name}`,
    ...plain,
    ...variant,
  };
  const sku = createHash('sha256').update(JSON.stringify(attributes)).digest('hex').slice(0, 16).toUpperCase();
  return { sku, attributes, usd };
}

function listed({ sku, attributes, usd }: Product): object {
  const offerTermCode = 'JRTCKXETXF';
  const term = `${sku}.${offerTermCode}`;
  const rateCode = `${term}.6YS6EN2CT7`;
  const effectiveDate = '2026-11-01T00:00:00Z';
  const dimension = {
    unit: 'Hrs',
    endRange: 'Inf',
    description: `$${usd} per On Demand ${attributes.operatingSystem} ${attributes.instanceType} Instance Hour`,
    appliesTo: [],
    rateCode,
    beginRange: '0',
    pricePerUnit: { USD: usd.toFixed(10) },
  };
  return {
    product: { productFamily: 'Compute Instance', attributes, sku },
    serviceCode: 'AmazonEC2',
    terms: {
      OnDemand: {
        [term]: { priceDimensions: { [rateCode]: dimension }, sku, effectiveDate, offerTermCode, termAttributes: {} },
      },
    },
    version: '20261101000000',
    publicationDate: effectiveDate,
  };
}
