import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const open = new Set<TcpProxy>();

/** Where bytes go: `up` to the server, `down` to the client. */
export type Way = 'up' | 'down';

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The ways on which bytes were lost: they never work again. */
  readonly lost: Set<Way>;
  /** The server does not learn that the client has closed it. */
  isGhost: boolean;
}

/** Stands between a client and a server, and can be the network that fails. */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private hole = false;
  private refuses = false;
  private latencyMs = 0;

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {}

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.on('connection', (client) => proxy.join(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.add(proxy);
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  leadsTo(port: number): boolean {
    return this.target === port;
  }

  /** New connections end there from now on, as when a name is given another address. */
  leadTo(port: number): void {
    this.target = port;
  }

  /** Sockets stay open, new ones are accepted, and no byte gets through. */
  blackHole(): void {
    this.hole = true;
  }

  /** New connections work. The ones that lost bytes stay as they are: nobody tells them. */
  heal(): void {
    this.hole = false;
  }

  /** From now on every byte takes this long each way. Only ever longer: bytes would overtake those before them. */
  slowDown(latencyMs: number): void {
    this.latencyMs = latencyMs;
  }

  /** Loses all further bytes of one connection on one way; `port` is the one that the server sees it come from. */
  halfOpen(way: Way, port: number): void {
    this.pairFrom(port).lost.add(way);
  }

  /** As when a host or a route vanishes: no byte comes through any more, and the server is never told. */
  vanish(port: number): void {
    const pair = this.pairFrom(port);
    pair.lost.add('up').add('down');
    pair.isGhost = true;
  }

  /** On the connections that there are: what is sent arrives, what is answered does not. */
  loseReplies(): void {
    for (const { lost } of this.pairs) lost.add('down');
  }

  /** From now on ends every new connection at once; see {@link cut} for those that there are. */
  refuse(): void {
    this.refuses = true;
  }

  accept(): void {
    this.refuses = false;
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
  }

  close(): void {
    open.delete(this);
    this.cut();
    this.server.close();
  }

  private pairFrom(port: number): Pair {
    const pair = [...this.pairs].find(({ server }) => server.localPort === port);
    if (pair === undefined) throw new Error(`No connection comes from port ${port}.`);
    return pair;
  }

  private join(client: Socket): void {
    if (this.refuses) return void client.destroy();
    const pair: Pair = {
      client,
      server: connect(this.target, '127.0.0.1'),
      lost: new Set(),
      isGhost: false,
    };
    this.pairs.add(pair);
    this.pipe(pair, 'up', client, pair.server);
    this.pipe(pair, 'down', pair.server, client);
  }

  private pipe(pair: Pair, way: Way, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (this.hole) pair.lost.add(way);
      if (pair.lost.has(way)) return;
      if (this.latencyMs === 0) to.write(bytes);
      else setTimeout(() => to.write(bytes), this.latencyMs);
    });
    from.on('error', () => {});
    from.on('close', () => {
      if (pair.isGhost) return;
      this.pairs.delete(pair);
      to.destroy();
    });
  }
}

export function closeProxies(): void {
  for (const proxy of open) proxy.close();
}
