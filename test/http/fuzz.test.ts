/**
 * Tens of thousands of requests that the table of operations suggests, right, nearly right and hostile, against a control plane in a
 * process of its own: no fault of the server, no write from a refused request, no answer that clients cannot read, no memory that grows.
 *
 * GANTRY_FUZZ_SEED and GANTRY_FUZZ_REQUESTS ask for others, and for more of them.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Credentials } from '../../client/signer.ts';
import { judge } from './fuzz/judge.ts';
import { type FuzzedServer, type Memory, type Sent, startFuzzedServer } from './fuzz/messages.ts';
import { type FuzzRequest, requests } from './fuzz/requests.ts';
import { createFastSigner } from './fuzz/signer.ts';

const firstSeed = Number(process.env.GANTRY_FUZZ_SEED ?? 20_261_130);
const total = Number(process.env.GANTRY_FUZZ_REQUESTS ?? 20_000);
/** Of each, the world is looked after first, and what is in it is asked for. */
const roundLength = 500;
/** After as many, caches are full and code is compiled. */
const warmUp = total / 2;
/** What is held is measured after each of as many rounds. */
const samples = 4;

interface Finding {
  readonly what: readonly string[];
  /** Of the round, and which of it. */
  readonly seed: number;
  readonly index: number;
  readonly request: string;
}

const enough = 10;

it('asks for anything in any way', { timeout: 300_000 }, async () => {
  await using server = await startFuzzedServer();
  const write = writerTo(server);
  const findings: Finding[] = [];
  const answers = new Map<string, number>();
  const before: Memory[] = [];
  const after: Memory[] = [];
  for (let done = 0; done < total && findings.length < enough; done += roundLength) {
    if (done > warmUp - samples * roundLength && done <= warmUp) before.push(await server.measure());
    if (done > total - samples * roundLength) after.push(await server.measure());
    const seed = firstSeed + done;
    const made = fc.sample(requests(await server.tend()), { seed, numRuns: roundLength });
    const sent = made.map((request, index) => write(request, server.now + (done + index) * 10));
    for (const [index, answer] of (await server.ask(sent)).entries()) {
      const request = made[index];
      if (request === undefined) continue;
      const kind = answer.status < 400 ? `${request.operation} done` : 'refused';
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      const what = judge(formOf(request), answer);
      if (what.length > 0) findings.push({ what, seed, index, request: shown(request) });
    }
  }
  expect(findings).toEqual([]);
  after.push(await server.measure());
  expect(growthOf(before, after)).toEqual({ heapUsed: 'at most 5 MB', rss: 'at most 5 MB' });
  // A fuzzer whose requests are all refused proves little.
  expect(answers.size).toBeGreaterThan(50);
  expect(answers.get('refused')).toBeLessThan(total * 0.9);
});

/** For each 10,000 requests, from the least that was held around the one time to the least around the other: what is freed late is no growth. */
function growthOf(before: readonly Memory[], after: readonly Memory[]): Record<keyof Memory, string> {
  const least = (samples: readonly Memory[], of: keyof Memory): number => Math.min(...samples.map((one) => one[of]));
  const grown = (of: keyof Memory): string => {
    const megabytes = (((least(after, of) - least(before, of)) / 2 ** 20) * 10_000) / (total - warmUp);
    return megabytes <= 5 ? 'at most 5 MB' : `${megabytes.toFixed(1)} MB`;
  };
  return { heapUsed: grown('heapUsed'), rss: grown('rss') };
}

/** A request of the wire that is sent elsewhere is answered as whatever is there. */
const formOf = ({ operation, transport, signing }: FuzzRequest) => ({
  operation,
  transport: signing === 'moved' ? ('rest' as const) : transport,
});

const shown = ({ method, target, headers, body, signing }: FuzzRequest): string => {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('base64');
  const whole = `${method} ${target} ${JSON.stringify(headers)} [${signing}] ${text}`;
  return whole.length > 1500 ? `${whole.slice(0, 1500)}… (${whole.length})` : whole;
};

const skews: Readonly<Record<string, number>> = { early: 6 * 60_000, late: -6 * 60_000 };

function writerTo({ keys }: FuzzedServer): (request: FuzzRequest, at: number) => Sent {
  const sign = createFastSigner('us-east-1');
  const [admin, reader] = keys;
  if (admin === undefined || reader === undefined) throw new Error('the server has no keys');
  const others: Readonly<Record<string, Credentials>> = {
    'other-key': reader,
    'unknown-key': { accessKeyId: 'GKIAUNKNOWN', secretAccessKey: 'x' },
  };
  return (request, at) => {
    const { method, target, body, signing } = request;
    const signed = sign(request, others[signing] ?? admin, at + (skews[signing] ?? 0));
    return {
      method,
      target: signing === 'moved' ? `${target}x` : target,
      headers: signing === 'none' ? request.headers : signed,
      body: signing === 'changed-body' ? `${Buffer.from(body).toString()} ` : body,
      at,
      twice: signing === 'replayed',
    };
  };
}
