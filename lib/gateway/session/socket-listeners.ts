import type { LoopSocket } from '../../connections/loop-socket.js';

/** Receives the events of a socket. */
export interface SocketListener {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPing(data: Buffer): void;
  onPong(): void;
  /** The socket itself is gone. */
  onClose(code: number, reason: Buffer): void;
}

const USER = Symbol('LoopWs');

type UsedSocket = LoopSocket & { [USER]?: SocketListener };

/**
 * All sockets share the same listener functions: five functions per socket would be a tenth of a connection's memory.
 */
export function listenTo(socket: UsedSocket, user: SocketListener): void {
  socket[USER] = user;
  socket.on('message', tellMessage);
  socket.on('ping', tellPing);
  socket.on('pong', tellPong);
  socket.on('close', tellClose);
  socket.on('error', ignore); // the close event that follows says enough
}

function tellMessage(this: UsedSocket, data: Buffer, isBinary: boolean): void {
  this[USER]!.onMessage(data, isBinary);
}

function tellPing(this: UsedSocket, data: Buffer): void {
  this[USER]!.onPing(data);
}

function tellPong(this: UsedSocket): void {
  this[USER]!.onPong();
}

function tellClose(this: UsedSocket, code: number, reason: Buffer): void {
  this[USER]!.onClose(code, reason);
}

function ignore(): void {}
