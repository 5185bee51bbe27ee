/** One thing that was looked at. */
export interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only where it is not ok. */
  readonly advice?: string;
}

export const finding = (subject: string, ok: boolean, detail: string, advice: string): Finding => ({
  subject,
  ok,
  detail,
  ...(!ok && { advice }),
});

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
