import type { LoopSocket } from '../connections/loop-socket.js';

/** Who is told of what a socket brings. */
export interface SocketUser {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPing(data: Buffer): void;
  onPong(): void;
  /** The socket itself is gone. */
  onClose(code: number, reason: Buffer): void;
}

const USER = Symbol('LoopWs');

type UsedSocket = LoopSocket & { [USER]?: SocketUser };

/** The functions that listen are the same for all sockets: five of its own would be a tenth of what a connection takes. */
export function listenTo(socket: UsedSocket, user: SocketUser): void {
  socket[USER] = user;
  socket.on('message', tellMessage);
  socket.on('ping', tellPing);
  socket.on('pong', tellPong);
  socket.on('close', tellClose);
  socket.on('error', ignore); // the close that follows says all that is needed
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
