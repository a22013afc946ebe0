import { TcpProxy } from '../support/tcp-proxy.js';

/** The network between one server and each Redis that it may use. */
export class RedisLink {
  private constructor(private readonly proxies: ReadonlyMap<number, TcpProxy>) {}

  /** To what listens on these ports. */
  static async to(...ports: readonly number[]): Promise<RedisLink> {
    const opening = ports.map(async (port) => [port, await TcpProxy.start(port)] as const);
    return new RedisLink(new Map(await Promise.all(opening)));
  }

  /** Where the server finds what listens on the port. */
  portTo(port: number): number {
    return this.proxies.get(port)!.port;
  }

  /** No byte gets through, and nobody is told. */
  blackHole(): void {
    for (const proxy of this.proxies.values()) proxy.blackHole();
  }

  /** From now on every byte takes this long each way. */
  slowDown(latencyMs: number): void {
    for (const proxy of this.proxies.values()) proxy.slowDown(latencyMs);
  }

  /** New connections work as they should. */
  heal(): void {
    for (const proxy of this.proxies.values()) proxy.heal();
  }

  /** As fast as before. What is under way is lost with its connection: it would be overtaken. */
  speedUp(): void {
    for (const proxy of this.proxies.values()) {
      proxy.slowDown(0);
      proxy.cut();
    }
  }
}
