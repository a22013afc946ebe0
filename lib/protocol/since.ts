/** Most topics in one `since`: a server accepts no more, and a client asks for no more. */
export const MAX_TOPICS = 1_000;

/** Stands for a position in `since`: asks for the last event only, whether or not the client already has it. */
export const LATEST = 'latest';
