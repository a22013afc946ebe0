/** Accounts of the run, and devices of each. */
export const ACCOUNTS = 150;
export const DEVICES = 2;

export const SERVERS = 3;
export const ROOMS = 10;

/** More than one topic gets while a client is away, except where that is the fault. */
export const HISTORY_SIZE = 2_000;
