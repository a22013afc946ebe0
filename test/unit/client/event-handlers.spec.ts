import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue } from './queue.js';
import { ScriptedServer } from './scripted-server.js';

describe('a client with event handlers', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  it('subscribes to what has a handler and hands it matching events', async () => {
    const { loop } = server.client();
    const heard = new Queue<unknown>();
    loop.on('billing:*', (data, event) => heard.push([event.name, data]));
    const peer = await server.nextPeer();

    expect((await peer.next('subscribe')).patterns).toEqual(['billing:*']);
    peer.send({ event: 'chat:message', data: 'not for it' });
    peer.send({ event: 'billing:invoice.paid', data: { cents: 100 } });

    expect(await heard.next('The handler should be called')).toEqual([
      'billing:invoice.paid',
      { cents: 100 },
    ]);
  });

  it.each(['billing:invoice.paid', 'billing:*', '*:invoice.paid', '*:*', 'billing:invoice.*'])(
    'matches events locally with the pattern %s',
    async (pattern) => {
      const { loop } = server.client();
      const heard = new Queue<string>();
      loop.on(pattern as '*:*', (_, event) => heard.push(event.name));
      const peer = await server.nextPeer();

      peer.send({ event: 'chat:message' });
      peer.send({ event: 'billing:invoice.paid' });
      await heard.next('The handler should be called', (name) => name === 'billing:invoice.paid');

      expect(heard.all).toHaveLength(pattern === '*:*' ? 2 : 1);
    },
  );

  it('calls each registration once for an event, also when several of its patterns match', async () => {
    const { loop } = server.client();
    const heard: string[] = [];
    const handler = () => void heard.push('shared');
    loop.on('billing:invoice.paid', handler);
    loop.on('billing:invoice.paid', handler);
    loop.on('billing:*', () => void heard.push('service'));
    const peer = await server.nextPeer();
    await loop.ready();

    peer.send({ event: 'billing:invoice.paid' });
    await loop.ping();

    expect(heard.toSorted()).toEqual(['service', 'shared', 'shared']);
  });

  it('does not call a handler that an earlier handler of the same event has removed', async () => {
    const { loop } = server.client();
    const heard: string[] = [];
    loop.on('billing:*', () => {
      heard.push('first');
      offSecond();
    });
    const offSecond = loop.on('billing:*', () => void heard.push('second'));
    const peer = await server.nextPeer();
    await loop.ready();

    peer.send({ event: 'billing:paid' });
    await loop.ping();

    expect(heard).toEqual(['first']);
  });

  it('throws at once for what is not a valid pattern', () => {
    const { loop } = server.client();

    for (const text of ['billing', 'billing:in paid', ':*', `a:${'b'.repeat(127)}`]) {
      expect(() => loop.on(text as '*:*', () => {})).toThrow('is not a pattern');
    }
  });

  it('keeps a handler that throws or rejects from the others, and reports what it threw', async () => {
    const { loop, nextError } = server.client();
    const heard = new Queue<unknown>();
    const thrown = new Error('bad handler');
    loop.on('billing:*', () => {
      throw thrown;
    });
    loop.on('billing:*', () => Promise.reject(new Error('late')));
    loop.on('billing:*', (data) => heard.push(data));
    const peer = await server.nextPeer();

    peer.send({ event: 'billing:paid', data: 1 });

    expect(await heard.next('The third handler should be called')).toBe(1);
    expect(await nextError('handler_failed')).toMatchObject({ cause: thrown });
    expect(await nextError('handler_failed')).toMatchObject({ cause: { message: 'late' } });
  });
});
