import { setTimeout as delay } from 'node:timers/promises';
import {
  EventBus,
  LoopAskError,
  type PublishOptions,
  type Topic,
  type TransportMessage,
  type TransportReceipt,
} from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { NullTransport } from '../support/null-transport.js';

afterEach(closeLoopApps);

describe('ask', () => {
  const OPTIONS = { timeoutMs: 2_000 };

  async function asked(bus: EventBus, connectionId = 'phone', timeoutMs = 2_000): Promise<unknown> {
    return bus.ask('acme', connectionId, 'device:status', { full: true }, { timeoutMs });
  }

  it('resolves with what the client answered', async () => {
    const { bus, client } = await startLoopApp();
    const phone = await client('acme', { connectionId: 'phone' });
    const answer = asked(bus);
    const question = await phone.nextFrame('a question', isQuestion);
    expect(question).toMatchObject({ event: 'device:status', data: { full: true } });
    phone.send({ op: 'answer', ask: (question as AskedFrame).ask, data: { battery: 80 } });
    expect(await answer).toEqual({ battery: 80 });
  });

  it('rejects with the code that the client refused with', async () => {
    const { bus, client } = await startLoopApp();
    const phone = await client('acme', { connectionId: 'phone' });
    const answer = asked(bus).catch((error: unknown) => error);
    const { ask } = (await phone.nextFrame('a question', isQuestion)) as AskedFrame;
    phone.send({ op: 'answer', ask, error: { code: 'busy', message: 'Updating.' } });
    const error = (await answer) as LoopAskError;
    expect(error).toBeInstanceOf(LoopAskError);
    expect(error).toMatchObject({
      reason: 'refused',
      details: { code: 'busy', message: 'Updating.' },
    });
  });

  it('P5: always settles: nobody there, no subscription, no answer, a connection that closes', async () => {
    const { bus, client } = await startLoopApp();
    await expect(asked(bus)).rejects.toMatchObject({ reason: 'not_connected' });
    const phone = await client('acme', { connectionId: 'phone' });
    await expect(asked(bus, 'phone', 30)).rejects.toMatchObject({ reason: 'timeout' });
    const closing = asked(bus);
    await phone.close();
    await expect(closing).rejects.toMatchObject({ reason: 'send_failed' });
    const deaf = await client('acme', { connectionId: 'deaf' });
    await deaf.unsubscribe('*:*');
    await expect(bus.ask('acme', 'deaf', 'device:status', 1, OPTIONS)).rejects.toMatchObject({
      reason: 'filtered',
    });
  });

  it('P6: asks a connection no more than maxOpenAsks questions at once, and more when one is answered', async () => {
    const { bus, client } = await startLoopApp({ options: { config: { maxOpenAsks: 2 } } });
    const phone = await client('acme', { connectionId: 'phone' });
    await client('acme', { connectionId: 'tablet' });
    const first = asked(bus);
    const second = asked(bus).catch((error: unknown) => error);
    await expect(asked(bus)).rejects.toMatchObject({ reason: 'send_failed' });
    await expect(asked(bus, 'tablet', 30)).rejects.toMatchObject({ reason: 'timeout' });
    const { ask } = (await phone.nextFrame('a question', isQuestion)) as AskedFrame;
    phone.send({ op: 'answer', ask, data: 'one' });
    expect(await first).toBe('one');
    const third = asked(bus).catch((error: unknown) => error);
    await expect(asked(bus)).rejects.toMatchObject({ reason: 'send_failed' });
    await eventually('it has three', () => phone.frames.filter(isQuestion).length === 3);
    await phone.close();
    expect([await second, await third]).toMatchObject([
      { reason: 'send_failed' },
      { reason: 'send_failed' },
    ]);
    expect(phone.frames.filter(isQuestion)).toHaveLength(3);
  });

  it('tells a client whose answer comes too late, and does not take it for abuse', async () => {
    const { client, bus } = await startLoopApp({ options: { config: { refusalsPerMinute: 1 } } });
    const one = await client('acme', { connectionId: 'phone' });
    for (let n = 1; n <= 5; n++) {
      const outcome = asked(bus, 'phone', 200).catch((error: unknown) => error);
      const { ask } = (await one.nextFrame('a question', isQuestion)) as AskedFrame;
      expect(await outcome).toMatchObject({ reason: 'timeout' });
      one.send({ op: 'answer', ask, data: n });
      await one.nextFrame('an error', (frame) => 'code' in frame && frame.code === 'unknown_ask');
    }
    // Nor is it on the next connection, where a device may finish what it was asked on the last.
    const again = await client('acme', { connectionId: 'phone' });
    for (let ask = 1; ask <= 5; ask++) {
      expect(await again.ask({ op: 'answer', ask, data: 1 })).toMatchObject({
        code: 'unknown_ask',
      });
    }
    expect(await again.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });
});

describe('P5: a question to a connection that another server may have', () => {
  /** Beside one other server that says nothing. */
  class BesideSilence extends NullTransport {
    /** @param knowsAtOnce Whether it is known at once that the other one cannot hear. */
    constructor(private readonly knowsAtOnce: boolean) {
      super();
    }
    override async publish(
      _topic: Topic,
      _message: TransportMessage,
      { timeoutMs }: PublishOptions,
    ): Promise<TransportReceipt> {
      if (!this.knowsAtOnce) await delay(timeoutMs);
      return { expected: 1, replies: [] };
    }
  }

  it.each([
    ['unknown', 'that server cannot hear it, whatever time is left', true, 30_000],
    ['timeout', 'that server had its time', false, 100],
  ])('is %s when %s', async (reason, _when, knowsAtOnce, timeoutMs) => {
    const { bus } = await startLoopApp({ options: { transport: new BesideSilence(knowsAtOnce) } });
    await expect(bus.ask('acme', 'phone', 'device:status', 1, { timeoutMs })).rejects.toMatchObject(
      { reason },
    );
  });
});

interface AskedFrame {
  readonly ask: number;
}

function isQuestion(frame: object): boolean {
  return 'ask' in frame;
}
