/**
 * What this module uses of an ioredis client for one server, a group with Sentinels or a Cluster, version 5 or 6.
 * Structural, so that an application without Redis compiles without ioredis.
 */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  duplicate(override?: object): object;
}

/** How to connect: options of ioredis, which is given all of them. The ones named here are those most used. */
export interface RedisConnectOptions {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  /** Keys are kept in this database. Channels have none: what keeps applications apart is the `namespace`. */
  readonly db?: number;
  /** `{}` for TLS with the system's authorities. */
  readonly tls?: object;
  /** Addresses of Sentinels; needs `name`. */
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[];
  /** Name of the group of servers that the Sentinels watch. */
  readonly name?: string;
  readonly [option: string]: unknown;
}

/** How to connect to a Redis Cluster: options of the Cluster client of ioredis, which is given all of them. */
export interface RedisClusterOptions {
  /** Some of its servers; the others are learnt from them. */
  readonly nodes: readonly (string | { readonly host?: string; readonly port?: number })[];
  /** For each connection: credentials, TLS. */
  readonly redisOptions?: Omit<RedisConnectOptions, 'host' | 'port' | 'db' | 'sentinels' | 'name'>;
  readonly [option: string]: unknown;
}

/** A URL, options of ioredis, or a client of the application, which is duplicated and never closed by this module. */
export type RedisSource = string | RedisConnectOptions | RedisClusterOptions | RedisClient;
