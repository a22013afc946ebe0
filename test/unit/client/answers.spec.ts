import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoopClientError } from '../../../lib/client/index.js';
import { ScriptedServer, type Peer } from './scripted-server.js';

describe('answers', () => {
  let server: ScriptedServer;
  let peer: Peer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  async function connected() {
    const client = server.client();
    peer = await server.nextPeer();
    return client;
  }

  it('answers a question with what its handler resolves with, and subscribes to it', async () => {
    const { loop } = await connected();
    loop.answer('device:status', async (data) => ({ echo: data }));
    expect((await peer.next('subscribe')).patterns).toEqual(['device:status']);

    peer.send({ event: 'device:status', data: 'how are you', ask: 7 });

    expect(await peer.next('answer')).toEqual({
      op: 'answer',
      ask: 7,
      data: { echo: 'how are you' },
    });
  });

  it('shows the question to event handlers too, and answers it once', async () => {
    const { loop } = await connected();
    const seen: unknown[] = [];
    loop.on('device:*', (data) => void seen.push(data));
    loop.answer('device:status', () => 'fine');
    await loop.ready();

    peer.send({ event: 'device:status', data: 1, ask: 0 });
    await peer.next('answer');
    await loop.ping();

    expect(seen).toEqual([1]);
    expect(peer.frames.all.filter(({ op }) => op === 'answer')).toHaveLength(1);
  });

  it('tells the server what the answerer threw', async () => {
    const { loop } = await connected();
    loop.answer('device:status', () => {
      throw new LoopClientError('not_found', 'No such sensor.');
    });
    loop.answer('device:reboot', () => Promise.reject(new Error('Busy.')));
    loop.answer('device:id', () => 1n);
    peer.send({ event: 'device:status', ask: 1 });
    peer.send({ event: 'device:reboot', ask: 2 });
    peer.send({ event: 'device:id', ask: 3 });

    const errors = [
      await peer.next('answer'),
      await peer.next('answer'),
      await peer.next('answer'),
    ].toSorted((a, b) => (a.ask ?? 0) - (b.ask ?? 0));
    expect(errors.map(({ ask, error }) => [ask, error])).toEqual([
      [1, { code: 'not_found', message: 'No such sensor.' }],
      [2, { code: 'internal', message: 'Busy.' }],
      [3, { code: 'bad_data', message: expect.stringContaining('JSON') }],
    ]);
  });

  it('tells of a long error what fits', async () => {
    server.welcome = { maxPayload: 2_000 };
    const { loop } = await connected();
    loop.answer('device:status', () => Promise.reject(new Error('x'.repeat(5_000))));
    peer.send({ event: 'device:status', ask: 1 });

    expect((await peer.next('answer')).error).toEqual({
      code: 'internal',
      message: 'x'.repeat(1_000),
    });
  });

  it('are given to names, not to patterns', async () => {
    const { loop } = await connected();
    expect(() => loop.answer('device:*' as 'device:id', () => 1)).toThrow(
      expect.objectContaining({ code: 'bad_name' }),
    );
  });

  it('answers a question that nobody here answers with "no_handler"', async () => {
    const { loop } = await connected();
    loop.answer('device:status', () => 'fine')();
    peer.send({ event: 'device:status', ask: 1 });

    expect((await peer.next('answer')).error).toMatchObject({ code: 'no_handler' });
  });

  it('answers with an error rather than with more than the server takes', async () => {
    server.welcome = { maxPayload: 300 };
    const { loop } = await connected();
    loop.answer('device:log', () => 'a'.repeat(1_000));
    peer.send({ event: 'device:log', ask: 1 });

    expect((await peer.next('answer')).error).toMatchObject({ code: 'frame_too_large' });
  });

  it('lets a name have one answerer, until it leaves', async () => {
    const { loop } = await connected();
    const off = loop.answer('device:status', () => 'fine');
    expect(() => loop.answer('device:status', () => 'twice')).toThrow(/already has an answerer/);

    off();
    loop.answer('device:status', () => 'new');
    off();
    peer.send({ event: 'device:status', ask: 1 });
    expect((await peer.next('answer')).data).toBe('new');
  });

  it('never answers on another connection than that of the question', async () => {
    const { loop, nextState, nextError } = await connected();
    let finish: (value: string) => void = () => {};
    const called = new Promise<void>((resolve) => {
      loop.answer('device:status', () => {
        resolve();
        return new Promise<string>((settle) => (finish = settle));
      });
    });
    await loop.ready();
    peer.send({ event: 'device:status', ask: 1 });
    await called;
    peer.close(1001);
    await nextState('waiting');
    const second = await server.nextPeer();
    await loop.ready();

    finish('too late');

    expect((await nextError('connection_lost')).message).toContain('device:status');
    await loop.ping();
    expect(second.frames.all.map(({ op }) => op)).toEqual(['subscribe', 'ping']);
  });
});
