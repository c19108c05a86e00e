// Which version of the notice in consent.js somebody has agreed to.
import { stored } from './dom.js';

export const VERSION = '2026-12-01'; // of the words there; the server keeps it with the conversation
const KEPT = 'consult.consent';
let here = null; // where storage is forbidden, for as long as the page is open

/** The version that was agreed to, or null when these words were not. */
export const agreed = () => (here === VERSION || stored('localStorage', KEPT) === VERSION ? VERSION : null);
export const agree = () => { here = VERSION; stored('localStorage', KEPT, VERSION); };
