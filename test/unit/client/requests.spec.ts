import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoopClientError } from '../../../lib/client/index.js';
import { within } from './queue.js';
import { reactions, rejection, ScriptedServer } from './scripted-server.js';

describe('requests', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  it('resolves each request with the data of its own reply', async () => {
    const { loop } = server.client();
    const peer = await server.nextPeer();
    const first = loop.request('chat:message.send', { text: 'one' });
    const second = loop.request('chat:message.send', { text: 'two' });
    const { id: firstId, data } = await peer.next('chat:message.send');
    const { id: secondId } = await peer.next('chat:message.send');

    peer.send({ op: 'reply', id: secondId ?? 0, data: 'to two' });
    peer.send({ op: 'reply', id: firstId ?? 0, data: 'to one' });

    expect(data).toEqual({ text: 'one' });
    expect(await first).toBe('to one');
    expect(await second).toBe('to two');
  });

  it('rejects with the code, message and details of the server', async () => {
    const { loop } = server.client();
    const peer = await server.nextPeer();
    const outcome = rejection(loop.request('chat:message.send', {}));
    const { id = 0 } = await peer.next('chat:message.send');
    peer.send({ op: 'error', id, code: 'invalid_payload', message: 'No text.', details: ['text'] });

    const error = await outcome;
    expect(error).toBeInstanceOf(LoopClientError);
    expect(error).toMatchObject({
      code: 'invalid_payload',
      message: 'No text.',
      details: ['text'],
    });
  });

  it('rejects with "timeout" after the deadline, and takes a late reply calmly', async () => {
    const { loop, errors } = server.client({ requestTimeoutMs: 200 });
    const peer = await server.nextPeer();
    await loop.ready(); // so that the request is written at once
    const outcome = rejection(loop.request('chat:message.send', {}));
    const { id = 0 } = await peer.next('chat:message.send');

    expect(await outcome).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('whether the server acted on it is unknown'),
    });
    peer.send({ op: 'reply', id, data: 'late' });
    await loop.ping();
    expect(errors.all).toEqual([]);
  });

  it('takes the deadline of the call before that of the client', async () => {
    server.react = reactions.silent;
    const { loop } = server.client({ requestTimeoutMs: 60_000 });
    await server.nextPeer();

    const error = await within(
      rejection(loop.request('chat:message.send', {}, { timeoutMs: 10 })),
      'The request should time out',
    );
    expect(error.message).toContain('10 ms');
  });

  it('takes a request that timed out before it was written out of the buffer', async () => {
    server.refuseWith = 503;
    const { loop } = server.client();
    const error = await rejection(loop.request('chat:message.send', 'stale', { timeoutMs: 20 }));
    expect(error).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('never sent'),
    });

    server.refuseWith = undefined;
    const peer = await server.nextPeer();
    await loop.ready();
    await loop.ping();
    expect(peer.frames.all.map(({ op }) => op)).toEqual(['ping']);
  });

  it('reports a request as lost when the connection broke after it was written, and never sends it again', async () => {
    const { loop } = server.client();
    const first = await server.nextPeer();
    const outcome = rejection(loop.request('chat:message.send', { text: 'once' }));
    await first.next('chat:message.send');
    first.socket.terminate();

    expect(await outcome).toMatchObject({
      code: 'connection_lost',
      message: expect.stringContaining('unknown'),
    });
    const second = await server.nextPeer();
    await loop.ready();
    await loop.ping();
    expect(second.frames.all.map(({ op }) => op)).toEqual(['ping']);
  });

  it('keeps a request that was not written over failed attempts, and sends it once', async () => {
    server.refuseWith = 503;
    const { loop, nextState } = server.client();
    const reply = loop.request('chat:message.send', 'patient');
    await nextState('waiting');
    await nextState('waiting');
    server.refuseWith = undefined;

    const peer = await server.nextPeer();
    const { id = 0 } = await peer.next('chat:message.send');
    peer.send({ op: 'reply', id, data: 'worth it' });
    expect(await reply).toBe('worth it');
  });

  it('rejects what waits when the client is closed, and reports sends that never left', async () => {
    const { loop, nextError } = server.client();
    const request = rejection(loop.request('chat:message', 1));
    loop.send('chat:message', 2);
    loop.close();

    expect(await request).toMatchObject({ code: 'closed' });
    expect((await nextError('closed')).message).toContain('before "chat:message" could be sent');
    expect((await rejection(loop.request('chat:message', 3))).code).toBe('closed');
  });

  it('rejects what was written when the server closes for good', async () => {
    const { loop } = server.client();
    const peer = await server.nextPeer();
    const request = rejection(loop.request('chat:message', 1));
    await peer.next('chat:message');
    peer.close(4503);

    expect((await request).code).toBe('connection_lost');
  });

  it('throws for data that cannot be JSON and names that are none', async () => {
    const { loop } = server.client();

    expect(() => loop.send('chat:message', 1n)).toThrow(/cannot be written as JSON/);
    expect(() => loop.send('chat' as 'chat:message', 1)).toThrow(LoopClientError);
    expect((await rejection(loop.request('a:b:c', 1))).code).toBe('bad_name');
  });

  it('measures the round trip, and does not wait for a connection to do so', async () => {
    const { loop } = server.client();
    expect((await rejection(loop.ping())).code).toBe('not_open');

    await loop.ready();
    expect(await loop.ping()).toBeGreaterThan(0);
  });
});
