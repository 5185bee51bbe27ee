/** Prices as people read them. */

/** `$1.20/h`; small ones to a hundredth of a cent. */
export const perHour = (usd: number): string => `$${usd.toFixed(usd > 0 && usd < 0.1 ? 4 : 2)}/h`;
