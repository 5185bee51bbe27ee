/** Whether a control plane and registries can be reached from here, and whether clocks agree; tells what of the way does not work. */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { connectionError } from '../../client/failures.ts';
import { signatureParameters } from '../../core/host-protocol.ts';
import { type Finding, finding, reasonOf } from './finding.ts';

const answerTimeoutMs = 5000;
/** Some seconds are no harm; more will be one day. */
const worthTellingSeconds = 30;

/** @param now epoch milliseconds */
export async function controlPlaneFindings(address: string, now: () => number): Promise<Finding[]> {
  const subject = 'control plane';
  const url = new URL(address);
  const broken = await brokenWay(url);
  if (broken !== undefined) return [finding(subject, false, broken.detail, broken.advice)];
  try {
    const response = await fetch(`${address.replace(/\/$/, '')}/healthz`, {
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    await response.body?.cancel();
    const other = 'Is that the address of a Gantry control plane? A proxy before it may be answering instead.';
    const answers = finding(subject, response.ok, `${address} answers ${response.status}`, other);
    return [answers, ...clockFinding(response.headers.get('date'), now())];
  } catch (error) {
    const { message, hint = 'Look whether it is a Gantry control plane that listens there.' } = connectionError(
      address,
      error,
    );
    return [finding(subject, false, message, hint)];
  }
}

export async function registryFinding(name: string, address: string): Promise<Finding> {
  const subject = `registry ${name}`;
  const broken = await brokenWay(new URL(address));
  return broken === undefined
    ? finding(subject, true, `${address} is reached`, '')
    : finding(subject, false, broken.detail, broken.advice);
}

/** Name and port, one after the other: the one that does not work is the one to look at. */
async function brokenWay({ hostname, port, protocol }: URL): Promise<{ detail: string; advice: string } | undefined> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    await lookup(host);
  } catch (error) {
    const detail = `the name ${host} is not known: ${reasonOf(error)}`;
    return { detail, advice: 'Look at /etc/resolv.conf and at the name itself (DNS).' };
  }
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  const failure = await connectFailure(host, number);
  if (failure === undefined) return undefined;
  const advice = 'Does it listen there, and do firewalls and routes between let this machine through (TCP)?';
  return { detail: `port ${number} of ${host} cannot be reached: ${failure}`, advice };
}

const connectFailure = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: answerTimeoutMs });
    socket.once('connect', () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer in ${answerTimeoutMs / 1000} s`)));
    socket.once('error', (error) => resolve(reasonOf(error)));
  });

function clockFinding(date: string | null, now: number): Finding[] {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return [];
  const seconds = Math.round((now - theirs) / 1000);
  const { maxSkewSeconds } = signatureParameters;
  const ok = Math.abs(seconds) < maxSkewSeconds;
  const detail =
    Math.abs(seconds) < worthTellingSeconds
      ? "agrees with the control plane's"
      : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the control plane's`;
  const advice = `What is signed ${maxSkewSeconds} s off is refused: let chrony or systemd-timesyncd set the clock, here or there.`;
  return [finding('clock', ok, detail, advice)];
}
