/**
 * Programs that speak from inside a network namespace, for tests of networks: a server that answers whoever connects with the
 * address it saw, and a client. Also the names and networks of one test file, which no other test and no cloud uses.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { execPath } from 'node:process';
import type { Readable } from 'node:stream';
import type { NetworkConfig } from '../../../agent/config.ts';
import { netnsDirectory } from '../../../agent/network/names.ts';
import { runTool } from '../../../agent/network/tool.ts';

/** What is unlikely to be used by anything else on this machine at the same time. */
export function testNetwork(index: number): NetworkConfig & { readonly owner: string } {
  const unique = (process.pid * 4 + index) % 10_000;
  return {
    owner: `gttest-${unique}`,
    bridge: `gtt${unique}`,
    subnet: `10.${88 + (unique % 16)}.${Math.floor(unique / 16) % 256}.0/24`,
    chainPrefix: `GTT${unique}`,
    hostAddress: '127.0.0.1',
  };
}

const serverScript = `
  require('node:net').createServer((socket) => socket.end(process.argv[2] + ' saw ' + socket.remoteAddress))
    .listen({ port: Number(process.argv[1]), host: process.argv[3], ipv6Only: true }, () => console.log('listening'));
`;
const clientScript = `
  const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]), timeout: Number(process.argv[3]) });
  socket.on('data', (text) => process.stdout.write(text));
  socket.on('timeout', () => socket.destroy(new Error('timeout')));
  socket.on('error', (error) => process.stdout.write(error.code ?? error.message));
`;

/** Answers connections with `<name> saw <address>` until it is disposed of. */
export async function serve(
  netns: string | undefined,
  port: number,
  name: string,
  host = '0.0.0.0',
): Promise<AsyncDisposable> {
  const [program, ...prefix] = netns === undefined ? [execPath] : ['nsenter', `--net=${netns}`, execPath];
  const child = spawn(program, [...prefix, '-e', serverScript, '--', String(port), name, host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return await listening(child);
}

const portsScript = `
  const [name, tcp, udp] = process.argv.slice(1);
  const ports = (text) => text.split(',').filter(Boolean).map(Number);
  let waiting = ports(tcp).length + ports(udp).length;
  const listening = () => --waiting || console.log('listening');
  for (const port of ports(tcp)) require('node:net').createServer((socket) => socket.end(name + ' on ' + port)).listen(port, listening);
  for (const port of ports(udp)) {
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (_, from) => socket.send(name + ' on ' + port, from.port, from.address)).bind(port, listening);
  }
`;

/** Answers on each of these ports with `<name> on <port>` until it is disposed of. */
export async function servePorts(
  netns: string,
  name: string,
  { tcp = [], udp = [] }: { readonly tcp?: readonly number[]; readonly udp?: readonly number[] },
): Promise<AsyncDisposable> {
  const args = [`--net=${netns}`, execPath, '-e', portsScript, '--', name, tcp.join(','), udp.join(',')];
  return await listening(spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] }));
}

async function listening(child: ChildProcessByStdio<null, Readable, null>): Promise<AsyncDisposable> {
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/**
 * What a connection from there is answered with, or why there is none (`ECONNREFUSED`, `timeout`). Whoever expects an answer gives it the
 * time that a slow machine takes; who expects none says how long to listen for one.
 */
export async function reach(
  netns: string | undefined,
  address: string,
  port: number,
  timeoutMs = 30_000,
): Promise<string> {
  if (netns !== undefined)
    return await runTool(execPath, ['-e', clientScript, '--', address, String(port), String(timeoutMs)], { netns });
  return await new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: address, port, timeout: timeoutMs });
    socket.on('data', (text: Buffer) => {
      answer += text.toString();
    });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve(answer));
  });
}

export const namespacesOf = (owner: string): string[] =>
  // The directory is there since the first namespace of the machine's life.
  existsSync(netnsDirectory) ? readdirSync(netnsDirectory).filter((name) => name.startsWith(owner)) : [];

/** Lines of every iptables that name the prefix. */
export async function firewallLines(chainPrefix: string, netns?: string): Promise<string[]> {
  const saved = await Promise.all(
    ['iptables-nft-save', 'iptables-legacy-save', 'ip6tables-nft-save', 'ip6tables-legacy-save'].map((program) =>
      runTool(program, [], { netns }).catch(() => ''),
    ),
  );
  return saved.flatMap((text) => text.split('\n').filter((line) => line.includes(`${chainPrefix}-`)));
}
