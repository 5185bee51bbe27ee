/** What a host keeps of its memory for the system and its agent: said once, for the agent that keeps it and for those who buy hosts. */

/** A twentieth, but neither less than 256 MiB nor more than 1 GiB. `memoryMib` is what the kernel has. */
export const defaultReserveMib = (memoryMib: number): number =>
  Math.min(1024, Math.max(256, Math.ceil(memoryMib / 20)));
