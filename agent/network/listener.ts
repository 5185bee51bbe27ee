/**
 * A listening socket in a network namespace that is not the agent's own. A socket stays in the namespace in which it was made, whoever
 * holds it: a program that enters the namespace makes it, hands it over and ends.
 */
import { spawn } from 'node:child_process';
import { createServer, Server } from 'node:net';
import { execPath } from 'node:process';

const handOverTimeoutMs = 10_000;

const script = `
  const server = require('node:net').createServer();
  server.listen(0, process.argv[1], () => process.send('listening', server));
  process.on('message', () => process.exit());
  process.on('disconnect', () => process.exit());
`;

/** Listens on a port that is free. Throws Error. */
export async function listenIn(netns: string | undefined, address: string): Promise<Server> {
  return netns === undefined ? await listenHere(address) : await listenThere(netns, address);
}

async function listenHere(address: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  return server;
}

async function listenThere(netns: string, address: string): Promise<Server> {
  const child = spawn('nsenter', [`--net=${netns}`, execPath, '-e', script, '--', address], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin` },
    timeout: handOverTimeoutMs,
  });
  let complaint = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  return await new Promise<Server>((resolve, reject) => {
    child.on('message', (_, handle) => {
      if (!(handle instanceof Server)) return;
      child.send('done');
      resolve(handle);
    });
    child.on('error', reject);
    child.on('close', () => reject(new Error(`nothing can listen on ${address} in ${netns}: ${complaint.trim()}`)));
  });
}

/** The port that was free. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen on a port');
  return address.port;
}
