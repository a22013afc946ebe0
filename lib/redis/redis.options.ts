/**
 * What this module uses of an ioredis client (version 5 or 6) for a single server, a Sentinel group or a Cluster. The
 * type is structural, so that an application without Redis compiles without ioredis.
 */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  duplicate(override?: object): object;
}

/**
 * How to connect: ioredis options, of which the most common are named here. All are passed on, but this module sets its
 * own key prefix, queueing, retries and timeouts.
 */
export interface RedisConnectOptions {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  /** The database of the keys. Channels belong to no database, so only the `namespace` separates applications. */
  readonly db?: number;
  /** `{}` for TLS with the default certificate authorities of Node.js. */
  readonly tls?: object;
  /** Addresses of the Sentinels. Requires `name`. */
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[];
  /** Name of the server group that the Sentinels monitor. */
  readonly name?: string;
  readonly [option: string]: unknown;
}

/** How to connect to a Redis Cluster: options of the ioredis Cluster client, with the same exceptions. */
export interface RedisClusterOptions {
  /** Some of its servers; the others are discovered from them. */
  readonly nodes: readonly (string | { readonly host?: string; readonly port?: number })[];
  /** Options of each connection, such as credentials and TLS. */
  readonly redisOptions?: Omit<RedisConnectOptions, 'host' | 'port' | 'db' | 'sentinels' | 'name'>;
  readonly [option: string]: unknown;
}

/** A URL, ioredis options, or a client of the application, which this module duplicates and never closes. */
export type RedisSource = string | RedisConnectOptions | RedisClusterOptions | RedisClient;
