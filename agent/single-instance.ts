/**
 * One agent (or fleet) a data directory: a lock that the kernel lets go of when the process ends, however it ends. It is the name of a
 * socket in Linux' abstract namespace, so there is no file that a crash could leave behind.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

/** Holds the directory until the process ends. Throws an Error that says so where another process holds it. */
export async function holdDirectory(directory: string, who = 'agent'): Promise<Server> {
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  const held = Promise.withResolvers<void>();
  server.once('error', held.reject);
  server.listen({ path: `\0gantry-${who}-${name}` }, held.resolve);
  try {
    await held.promise;
  } catch (error) {
    throw new Error(`Another ${who} is running with the data directory ${directory}.`, { cause: error });
  }
  server.unref(); // Holding it is no reason to stay alive.
  return server;
}
