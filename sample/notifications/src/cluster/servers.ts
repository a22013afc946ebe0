/** Where all servers of the sample can be reached, comma-separated in `SERVERS`; absent when there is one. */
export const SERVERS: readonly string[] = process.env.SERVERS?.split(',') ?? [];

/** The name of this one, for everybody to read. */
export const SERVER_ID = process.env.SERVER_ID ?? 'server-1';
