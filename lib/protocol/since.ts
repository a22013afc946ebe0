/** Topics of one `since`: a server takes no more, and a client asks for no more. */
export const MAX_TOPICS = 1_000;

/** In place of a position: the last event only, be it old or new. */
export const LATEST = 'latest';
