import { setTimeout as delay } from 'node:timers/promises';
import type { LoopWsConfig } from '../loop-ws.config.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { CommandConnection, type RedisArgument, type ReplyForm } from './command-connection.js';
import { InFlightWindow } from './in-flight-window.js';
import type { RedisScript } from './redis-script.js';
import type { RedisServer, Topology } from './topology.js';
import { notConnected } from './not-connected.js';

const RETRY_MS = 20;

/** Sends each command to the server that keeps its key, and bounds how much may wait for Redis. */
export class RedisLink {
  private readonly connections = new Map<RedisServer, CommandConnection>();
  /** Bounds what the application has waiting for Redis. */
  readonly window: InFlightWindow;
  private readonly upListeners: (() => void)[] = [];

  constructor(
    private readonly topology: Topology,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
  ) {
    this.window = new InFlightWindow(config);
  }

  /** Whether a command for this key would be sent right now. It may still fail. */
  reaches(key: string): boolean {
    return this.connectionFor(key)?.isUp ?? false;
  }

  /** Calls the listener after each new connection, and when keys have moved to another server. */
  onUp(listener: () => void): void {
    this.upListeners.push(listener);
  }

  /** Resolves when connected. Rejects with a `LoopWsBootError` when Redis refuses, or cannot be reached in time. */
  async start(): Promise<void> {
    await this.topology.start();
    const first = this.follow();
    this.topology.onChange(() => {
      for (const connection of this.follow()) connection.startInBackground();
      this.announceUp();
    });
    await Promise.all(first.map((connection) => connection.start()));
  }

  /** Waits out a short outage. Rejects with a `LoopTransportError` when it lasts longer than `ms`. */
  async untilReached(key: string, ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.reaches(key) && performance.now() < until) await delay(RETRY_MS);
    if (!this.reaches(key)) throw notConnected();
  }

  /**
   * Runs a script; all `keys` must share one hash tag. Rejects with a `LoopTransportError`, or with the error from
   * Redis. A server that no longer keeps the keys has not run the script, which is then sent once to the one that does.
   */
  async run<Result>(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    as: ReplyForm = 'text',
  ): Promise<Result> {
    try {
      return await this.evaluate<Result>(script, keys, args, as);
    } catch (error) {
      if (!hasMoved(error)) throw error;
      await this.topology.refresh();
      return this.evaluate<Result>(script, keys, args, as);
    }
  }

  /** Sends a command whose first argument is its key, unless the application has too much waiting for Redis already. */
  call<Result>(command: string, key: string, ...rest: RedisArgument[]): Promise<Result> {
    const args = [key, ...rest];
    return this.window.hold(sizeOf(args), () => this.send<Result>(key, command, args));
  }

  /**
   * Sends a command to the server that keeps the key. When this returns, it is on its way, in the order of the calls.
   */
  async send<Result>(
    key: string,
    command: string,
    args: readonly RedisArgument[],
    as: ReplyForm = 'text',
  ): Promise<Result> {
    const connection = this.connectionFor(key);
    if (connection === undefined) throw notConnected();
    try {
      return (await connection.call(command, args, as)) as Result;
    } catch (error) {
      if (hasMoved(error) || isElsewhere(error)) void this.topology.refresh();
      throw error;
    }
  }

  /** Closes the connection to the server that keeps the key, because it seems dead. A new one is made. */
  renew(key: string): void {
    this.connectionFor(key)?.renew();
    void this.topology.refresh();
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
    this.topology.close();
  }

  private async evaluate<Result>(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    as: ReplyForm,
  ): Promise<Result> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.send<Result>(keys[0]!, 'EVALSHA', [script.sha, ...rest], as);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.send<Result>(keys[0]!, 'EVAL', [script.source, ...rest], as);
    }
  }

  private connectionFor(key: string): CommandConnection | undefined {
    const server = this.topology.ownerOf(key);
    return server && this.connections.get(server);
  }

  /** Ensures one connection per server, and returns the new ones, which have to be started. */
  private follow(): CommandConnection[] {
    const { servers } = this.topology;
    for (const [server, connection] of this.connections) {
      if (servers.includes(server)) continue;
      connection.close();
      this.connections.delete(server);
    }
    return servers
      .filter((server) => !this.connections.has(server))
      .map((server) => this.connect(server));
  }

  private connect(server: RedisServer): CommandConnection {
    const { config, logger } = this;
    const redis = server.createConnection();
    const up = (): void => this.announceUp();
    const connection = new CommandConnection(redis, config, logger, up);
    this.connections.set(server, connection);
    return connection;
  }

  private announceUp(): void {
    for (const listener of this.upListeners) listener();
  }
}

function hasMoved(error: unknown): boolean {
  return (error as Error).message.startsWith('MOVED');
}

/** The error of a script that publishes on a channel of another server. It cannot have done anything before that. */
function isElsewhere(error: unknown): boolean {
  return (error as Error).message.includes('non local key');
}

function sizeOf(args: readonly RedisArgument[]): number {
  return args.reduce<number>((sum, arg) => sum + (typeof arg === 'number' ? 8 : arg.length), 0);
}
