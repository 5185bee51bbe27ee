/** The one frame of the wake-up socket: look again. By itself, because who only wakes hosts speaks nothing else of their protocol. */
export const wakeFrame = 'wake';
