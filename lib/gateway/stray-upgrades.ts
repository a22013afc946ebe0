import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Upgrades that were left to the other listeners of a server. One that nobody takes would keep its socket for good, and
 * with it the shutdown; so it is answered with 404 after a while.
 */
export class StrayUpgrades {
  private readonly watched = new Map<Duplex, ReturnType<typeof setTimeout>>();

  constructor(private readonly timeoutMs: number) {}

  /** Call it while the upgrade is being announced: whoever takes it listens to the socket's errors, as we do here. */
  watch(socket: Duplex): void {
    socket.on('error', ignore);
    const timer = setTimeout(() => this.judge(socket), this.timeoutMs);
    this.watched.set(socket, timer);
    socket.once('close', () => this.forget(socket));
  }

  /** Cuts those that nobody has taken. */
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

/** Answers an upgrade with plain HTTP. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  const body = STATUS_CODES[status] ?? '';
  socket.on('error', () => socket.destroy());
  socket.on('finish', () => socket.destroy()); // a peer that keeps its own side open must not keep the socket
  socket.end(
    `HTTP/1.1 ${status} ${body}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function ignore(): void {}

/** A reader, or somebody else who listens to errors, which every careful user of a socket does. */
function isTaken(socket: Duplex): boolean {
  return (
    socket.listenerCount('data') + socket.listenerCount('readable') > 0 ||
    socket.listenerCount('error') > 1
  );
}
