/** The function `sweep`. */
import { controlEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createSweepHandler } from './handler.ts';

const environment = controlEnvironment(process.env);
const instruments = await openInstruments(environment);

const deps = await startControl(environment, instruments, { sealing: 'later' });

export const handler = instruments.watched('sweep', createSweepHandler(deps));
