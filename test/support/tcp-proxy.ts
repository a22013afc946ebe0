import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const open = new Set<TcpProxy>();

/** Stands between a client and a server, and can be the network that fails. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private hole = false;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
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

  /** Sockets stay open, new ones are accepted, and no byte gets through. */
  blackHole(): void {
    this.hole = true;
  }

  /** New connections work. The ones that lost bytes stay as they are: nobody tells them. */
  heal(): void {
    this.hole = false;
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    open.delete(this);
    this.cut();
    this.server.close();
  }

  private join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    this.pipe(client, server);
    this.pipe(server, client);
  }

  private pipe(from: Socket, to: Socket): void {
    let lostBytes = false;
    this.sockets.add(from);
    from.on('data', (bytes) => {
      lostBytes ||= this.hole;
      if (!lostBytes) to.write(bytes);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}

export function closeProxies(): void {
  for (const proxy of open) proxy.close();
}
