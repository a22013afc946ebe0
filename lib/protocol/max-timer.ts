/** Longest delay of a timer, in milliseconds. One that does not fit into 32 bits (signed) would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
