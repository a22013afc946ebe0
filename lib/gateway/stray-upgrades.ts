import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Upgrades that were left to the other listeners of a server. An upgrade that nobody takes would keep its socket open
 * forever and block the shutdown, so it is answered with 404 after `timeoutMs`.
 */
export class StrayUpgrades {
  private readonly watched = new Map<Duplex, ReturnType<typeof setTimeout>>();

  constructor(private readonly timeoutMs: number) {}

  /**
   * Call it within the `upgrade` event. Whoever takes the upgrade adds an error listener besides the one added here,
   * which {@link isTaken} relies on.
   */
  watch(socket: Duplex): void {
    socket.on('error', ignore);
    const timer = setTimeout(() => this.judge(socket), this.timeoutMs);
    this.watched.set(socket, timer);
    socket.once('close', () => this.forget(socket));
  }

  /** Destroys the sockets that nobody has taken. */
  cut(): void {
    for (const socket of this.watched.keys()) {
      if (!isTaken(socket)) socket.destroy();
      this.forget(socket);
    }
  }

  private judge(socket: Duplex): void {
    this.forget(socket);
    if (isTaken(socket)) socket.off('error', ignore);
    else refuseUpgrade(socket, 404);
  }

  private forget(socket: Duplex): void {
    clearTimeout(this.watched.get(socket));
    this.watched.delete(socket);
  }
}

/** Answers an upgrade with a plain HTTP response. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  const body = STATUS_CODES[status] ?? '';
  socket.on('error', () => socket.destroy());
  socket.on('finish', () => socket.destroy()); // even if the peer keeps its own side open
  socket.end(
    `HTTP/1.1 ${status} ${body}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function ignore(): void {}

/** Whether anyone else reads from the socket or listens to its errors, as every careful user of a socket does. */
function isTaken(socket: Duplex): boolean {
  return (
    socket.listenerCount('data') + socket.listenerCount('readable') > 0 ||
    socket.listenerCount('error') > 1
  );
}
