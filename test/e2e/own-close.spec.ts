import { once } from 'node:events';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  type ConnectionClose,
  ConnectionRegistry,
  type LoopConnection,
  OnLoopDisconnect,
  OnLoopEvent,
} from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, RawPeer, textFrame } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

beforeEach(() => {
  for (const level of ['warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(() => {});
  }
});

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

const { Close } = Opcode;

describe('our own close', () => {
  class Closer {
    readonly closes: ConnectionClose[] = [];

    @OnLoopEvent('chat:close')
    close([code, reason]: [number, string], connection: LoopConnection): string {
      connection.close(code, reason);
      connection.close(4000, 'a second time');
      connection.send('chat:n', 'too late');
      return 'too late';
    }

    @OnLoopDisconnect()
    left(_connection: LoopConnection, close: ConnectionClose): void {
      this.closes.push(close);
    }
  }

  it.each<[string, number, unknown, number, number]>([
    ['a code of the application', 4000, 'Bye.', 4000, 4],
    ['a code that nobody may send', 1005, '', 1011, 0],
    ['a code beyond every range', 5000, '', 1011, 0],
    ['a code that is no number', NaN, '', 1011, 0],
    ['a reason of 10 KB', 4000, 'x'.repeat(10_000), 4000, 123],
    ['a reason of long characters', 4000, '😀'.repeat(100), 4000, 120],
    ['a reason with half a surrogate pair', 4000, '\ud800', 4000, 3],
    ['a reason that is a number', 4000, 42, 4000, 0],
    ['a reason that is null', 4000, null, 4000, 0],
    ['a reason that is a list', 4000, [1, 2], 4000, 0],
  ])(
    'with %s never throws, and what came before it is still sent',
    async (_what, code, reason, told, bytes) => {
      const app = await startLoopApp({ providers: [Closer] });
      const peer = await RawPeer.open(app.port);
      const pushed = app.bus.pushToAccount('acme', 'chat:before', 1);
      expect((await pushed).delivered).toBe(1);
      const [connection] = app.get(ConnectionRegistry);
      connection!.close(code, reason as string);
      expect(await peer.closeCode()).toBe(told);
      expect(Buffer.byteLength(peer.close!.reason)).toBe(bytes);
      expect(peer.texts.at(-1)).toEqual({ event: 'chat:before', data: 1 });
      await eventually('the hook', () => app.get(Closer).closes.length === 1);
      expect(app.get(Closer).closes[0]!.code).toBe(told);
    },
  );

  it('is the last word: nothing is sent or handled after it', async () => {
    const app = await startLoopApp({ providers: [Closer] });
    const peer = await RawPeer.open(app.port);
    peer.send(
      Buffer.concat([
        textFrame({ event: 'chat:close', data: [4001, 'Bye.'], id: 1 }),
        textFrame({ event: 'chat:close', data: [4002, 'Again.'], id: 2 }),
        textFrame({ op: 'ping', id: 3 }),
      ]),
    );
    expect(await peer.closeCode()).toBe(4001);
    peer.sendText({ op: 'ping', id: 4 });
    expect(peer.frames.at(-1)!.opcode).toBe(Close);
    expect(peer.texts.flatMap((frame) => ('id' in frame ? [frame.id] : []))).toEqual([3]);
    expect(app.get(Closer).closes).toEqual([{ code: 4001, reason: 'Bye.' }]);
  });

  it('cuts a peer that does not answer it within closeTimeoutMs', async () => {
    const app = await startLoopApp({ options: { config: { closeTimeoutMs: 50 } } });
    const peer = await RawPeer.open(app.port, { allowHalfOpen: true });
    const cut = once(peer.socket, 'close');
    await app.bus.disconnect('acme');
    expect(await peer.closeCode()).toBe(4503);
    await eventually('the end of the socket', () => peer.ended);
    peer.socket.end();
    await cut;
    expect(await isServing(app)).toBe(true);
  });
});
