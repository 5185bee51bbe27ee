/** What programs wrote, made safe to stand in a table or a sentence: no colours, no cursor movements, one line. */
import { stripVTControlCharacters } from 'node:util';

export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trimEnd();
