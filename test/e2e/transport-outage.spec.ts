import { Injectable, Logger } from '@nestjs/common';
import { ConnectedSocket } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import {
  type LoopConnection,
  LoopTransport,
  LoopTransportError,
  OnLoopEvent,
  type TransportReceipt,
} from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, RawPeer } from '../support/raw-peer.js';

afterEach(cutRawPeers);
afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

/** As when Redis is away: no topic can be attached. */
class Outage extends LoopTransport {
  override readonly isLive = true;
  begun = false;

  override async start(): Promise<void> {}

  override async attach(): Promise<void> {
    if (this.begun) throw new LoopTransportError('unavailable', 'There is no connection to Redis.');
  }

  override detach(): void {}

  override async publish(): Promise<TransportReceipt> {
    return { expected: 0, replies: [] };
  }

  override async close(): Promise<void> {}
}

@Injectable()
class Rooms {
  @OnLoopEvent('chat:join')
  async join(@ConnectedSocket() connection: LoopConnection): Promise<void> {
    await connection.join('lobby');
  }
}

describe('P6: while the other servers are not reached', () => {
  async function startOutage() {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const transport = new Outage();
    const app = await startLoopApp({
      providers: [Rooms],
      options: { transport, defaultSubscriptions: [] },
    });
    return { app, transport, logged, warned };
  }

  it.each([
    ['a subscription', { op: 'subscribe', patterns: ['chat:*'] }],
    ['a handler that joins a room', { event: 'chat:join' }],
  ])('%s is unavailable, which the log tells in one line', async (_what, frame) => {
    const { app, transport, logged, warned } = await startOutage();
    const client = await app.client();
    transport.begun = true;
    expect(await client.ask(frame)).toMatchObject({ op: 'error', code: 'unavailable' });
    expect(logged).not.toHaveBeenCalled();
    expect(warned.mock.calls).toEqual([[expect.stringContaining('no connection to Redis')]]);
    expect(warned.mock.calls[0]![0]).not.toContain('\n');
    transport.begun = false;
    expect(await client.ask(frame)).toMatchObject({ op: expect.stringMatching(/ok|reply/) });
  });

  it('a connection is told to come back: 1013', async () => {
    const { app, transport, logged } = await startOutage();
    transport.begun = true;
    const peer = await RawPeer.upgrade(app.port);
    expect(await peer.closeCode()).toBe(1013);
    expect(logged).not.toHaveBeenCalled();
  });
});
