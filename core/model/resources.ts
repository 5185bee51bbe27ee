/**
 * Amounts of a host's resources: what a task reserves and what a host has left. CPU is in ECS units (1024 = one vCPU), memory in
 * MiB, ports are the static host ports by protocol.
 */
import { z } from 'zod';

export const protocolSchema = z.enum(['tcp', 'udp']);
export type Protocol = z.infer<typeof protocolSchema>;

/** A host port with its protocol, for example `tcp/8080`: the key under which a host records who holds it. */
export const hostPortSchema = z.templateLiteral([protocolSchema, '/', z.number()]);
export type HostPort = `${Protocol}/${number}`;

export const hostPort = (protocol: Protocol, port: number): HostPort => `${protocol}/${port}`;

/** What one task holds of its host from placement until release. */
export const reservationSchema = z.object({
  cpuUnits: z.number().int().nonnegative(),
  memoryMib: z.number().int().nonnegative(),
  ports: z.array(hostPortSchema),
});
