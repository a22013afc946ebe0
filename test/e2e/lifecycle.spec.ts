import { Injectable, Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import {
  type ConnectionClose,
  ConnectionRegistry,
  EventBus,
  LoopConnection,
  OnLoopConnect,
  OnLoopDisconnect,
  OnLoopSubscribe,
  OnLoopUnsubscribe,
} from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('@OnLoopDisconnect', () => {
  it('tells code and reason once, and a failing hook harms nobody', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const closes: ConnectionClose[] = [];
    @Injectable()
    class Watch {
      @OnLoopDisconnect()
      async disconnect(_connection: LoopConnection, close: ConnectionClose): Promise<void> {
        closes.push(close);
        throw new Error('late');
      }
    }
    const { client, get } = await startLoopApp({ providers: [Watch] });
    const one = await client();
    await one.close(3001);
    await eventually('the hook ran', () => closes.length === 1);
    const two = await client('acme', { connectionId: 'two' });
    get(ConnectionRegistry).disconnect('acme', 'two', 4000, 'Enough.');
    expect(await two.closed).toEqual({ code: 4000, reason: 'Enough.' });
    await eventually('the hook ran again', () => closes.length === 2);
    expect(closes).toEqual([
      { code: 3001, reason: '' },
      { code: 4000, reason: 'Enough.' },
    ]);
  });
});

describe('a connection that is gone', () => {
  it('still says what it held, so that its rooms can be told, and holds nothing any more', async () => {
    const held: unknown[] = [];
    @Injectable()
    class Goodbye {
      constructor(private readonly bus: EventBus) {}

      @OnLoopConnect()
      enter(connection: LoopConnection): Promise<void> {
        return connection.join('lobby');
      }

      @OnLoopDisconnect()
      async leave(connection: LoopConnection): Promise<void> {
        await Promise.resolve();
        connection.leave('lobby');
        held.push([...connection.rooms, ...connection.subscriptions]);
        await this.bus.pushToRoom('lobby', 'chat:left', connection.accountId);
      }
    }
    const { client, bus } = await startLoopApp({ providers: [Goodbye] });
    const [a, b] = [await client('a'), await client('b')];
    await a.close();
    expect(await b.next('chat:left')).toBe('a');
    expect(held).toEqual([['lobby', '*:*']]);
    expect(await bus.pushToRoom('lobby', 'chat:n', 1)).toMatchObject({ delivered: 1, filtered: 0 });
  });
});

describe('@OnLoopSubscribe and @OnLoopUnsubscribe', () => {
  it('tell what was granted and what was given up', async () => {
    const calls: unknown[] = [];
    @Injectable()
    class Watch {
      @OnLoopSubscribe()
      subscribed(connection: LoopConnection, patterns: readonly string[]): void {
        calls.push(['+', connection.accountId, patterns]);
      }

      @OnLoopUnsubscribe()
      unsubscribed(_connection: LoopConnection, patterns: readonly string[]): void {
        calls.push(['-', patterns]);
      }
    }
    const { client } = await startLoopApp({
      providers: [Watch],
      options: { defaultSubscriptions: [] },
    });
    const one = await client();
    await one.subscribe('chat:*', 'nowhere:*');
    await one.unsubscribe('chat:*', 'billing:*');
    expect(calls).toEqual([
      ['+', 'acme', ['chat:*']],
      ['-', ['chat:*']],
    ]);
  });
});
