import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { eventually } from '../../support/eventually.js';
import { rejection, ScriptedServer } from './scripted-server.js';

describe('what waits to be sent', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  it('counts a frame from the buffer as written once it is', async () => {
    const { loop } = server.client();
    const outcome = rejection(loop.request('chat:message.send', 'buffered'));
    const peer = await server.nextPeer();
    await peer.next('chat:message.send');
    peer.socket.terminate();

    expect((await outcome).code).toBe('connection_lost');
  });

  it('sends what has waited in the order of the calls', async () => {
    const { loop } = server.client();
    for (const text of ['a', 'b', 'c']) loop.send('chat:message', text);
    const peer = await server.nextPeer();
    await loop.ready();
    loop.send('chat:message', 'd');
    await loop.ping();

    expect(peer.frames.all.map(({ data }) => data)).toEqual(['a', 'b', 'c', 'd', undefined]);
    expect(peer.frames.all[0]).toEqual({ event: 'chat:message', data: 'a' });
  });

  it('throws when the outgoing buffer is full, says what to do, and loses nothing that it took', async () => {
    const { loop } = server.client({ maxBufferedBytes: 90 });
    loop.send('chat:message', 'first');
    loop.send('chat:message', 'second');

    expect(() => loop.send('chat:message', 'ä'.repeat(20))).toThrow(
      /"chat:message" was not sent: it takes 74 bytes.*Wait for the buffer to drain/,
    );
    expect((await rejection(loop.request('chat:message', 'a'.repeat(20)))).code).toBe(
      'buffer_full',
    );

    const peer = await server.nextPeer();
    await loop.ready();
    loop.send('chat:message', 'third');
    await loop.ping();
    expect(peer.frames.all.slice(0, 3).map(({ data }) => data)).toEqual([
      'first',
      'second',
      'third',
    ]);
  });

  it('counts what the socket could not get rid of as waiting too, and reports it when the link is given up', async () => {
    server.welcome = { heartbeatMs: 100 };
    const { loop, nextError } = server.client({ maxBufferedBytes: 100_000 });
    const peer = await server.nextPeer();
    await loop.ready();
    peer.socket.pause();

    const flood = () => {
      for (let frames = 0; frames < 2_000; frames++) loop.send('chat:message', 'a'.repeat(50_000));
    };
    expect(flood).toThrow(/"maxBufferedBytes" is 100000/);
    expect((await nextError('connection_lost')).message).toMatch(/\d+ bytes/);
  });

  it('keeps what a socket throws at, and sends it once on the next connection', async () => {
    class Throwing extends WebSocket {
      override send(text: string): void {
        if (broken) throw new Error('not now');
        super.send(text);
      }
    }
    let broken = true;
    const { loop, nextState } = server.client({ WebSocket: Throwing });
    const first = await server.nextPeer();
    await nextState('open');
    loop.send('chat:message', 'kept');
    broken = false;
    first.close(1001);
    const second = await server.nextPeer();

    expect((await second.next('chat:message')).data).toBe('kept');
    await loop.ping();
    expect(second.frames.all).toHaveLength(2);
  });

  it('frees the room of a request that was taken out of the buffer', async () => {
    server.refuseWith = 503;
    const { loop } = server.client({ maxBufferedBytes: 60 });
    await rejection(loop.request('chat:message', 'waits', { timeoutMs: 5 }));

    expect(() => loop.send('chat:message', 'fits')).not.toThrow();
  });

  it('refuses a frame that the server would close the connection for', async () => {
    server.welcome = { maxPayload: 100 };
    const { loop, states } = server.client();
    await loop.ready();

    expect(() => loop.send('chat:message', 'a'.repeat(200))).toThrow(
      /the server accepts at most 100/,
    );
    expect((await rejection(loop.request('chat:message', 'a'.repeat(200)))).code).toBe(
      'frame_too_large',
    );
    await loop.ping();
    expect(states.all.map(({ state }) => state)).toEqual(['open']);
  });

  it('reports buffered frames that turn out to be too large for the server', async () => {
    server.welcome = { maxPayload: 100 };
    const { loop, nextError } = server.client();
    loop.send('chat:message', 'a'.repeat(200));
    const request = rejection(loop.request('chat:message', 'b'.repeat(200)));
    loop.send('chat:message', 'fits');

    await nextError('frame_too_large');
    expect((await request).code).toBe('frame_too_large');
    expect((await (await server.nextPeer()).next('chat:message')).data).toBe('fits');
  });

  it('buffers what is sent while the closing handshake runs, since sockets swallow it', async () => {
    const sockets: WebSocket[] = [];
    class RecordedWebSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const { loop } = server.client({ WebSocket: RecordedWebSocket });
    const first = await server.nextPeer();
    await loop.ready();
    first.close(1001);
    // Without reading the client's half of the handshake the server cannot finish it.
    first.socket.pause();
    await eventually(
      'the socket of the client begins to close',
      () => sockets[0]?.readyState === WebSocket.CLOSING,
    );

    expect(loop.state).toBe('open');
    loop.send('chat:message', 'kept');
    const request = loop.request('chat:question', 'kept too');
    first.socket.resume();

    const second = await server.nextPeer();
    expect((await second.next('chat:message')).data).toBe('kept');
    const { id = 0 } = await second.next('chat:question');
    second.send({ op: 'reply', id, data: 'answered' });
    expect(await request).toBe('answered');
  });
});
