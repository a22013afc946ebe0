/** Accounts of the run, and devices of each. */
export const ACCOUNTS = 200;
export const DEVICES = 2;

/** The share of the devices that use the client of this package; the others go by the letter of the protocol. */
export const APPS_SHARE = 1 / 3;

export const SERVERS = 3;
export const ROOMS = 10;

/** More than one topic gets while a client is away, except where that is the fault. */
export const HISTORY_SIZE = 2_000;
