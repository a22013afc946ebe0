import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { EventBus } from '../../lib/index.js';
import { RecordingEventBus } from '../../lib/testing/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

describe('RecordingEventBus', () => {
  @Injectable()
  class Billing {
    constructor(private readonly bus: EventBus) {}

    async pay(id: string): Promise<number> {
      const { delivered } = await this.bus.pushToAccount(
        'acme',
        'billing:invoice.paid',
        { id },
        { id },
      );
      return delivered;
    }
  }

  it('stands in for EventBus: keeps what was pushed and answers as it is told', async () => {
    const bus = new RecordingEventBus();
    bus.report = { ...bus.report, delivered: 3 };
    const module = await Test.createTestingModule({
      providers: [Billing, { provide: EventBus, useValue: bus }],
    }).compile();
    expect(await module.get(Billing).pay('i-1')).toBe(3);
    expect(bus.pushesOf('billing:invoice.paid')).toEqual([
      {
        target: { kind: 'account', accountId: 'acme' },
        name: 'billing:invoice.paid',
        data: { id: 'i-1' },
        options: { id: 'i-1' },
      },
    ]);
  });

  it('takes the place of the bus in a whole application', async () => {
    const bus = new RecordingEventBus();
    const { get } = await startLoopApp({
      providers: [Billing],
      override: (builder) => builder.overrideProvider(EventBus).useValue(bus),
    });
    await get(Billing).pay('i-2');
    expect(bus.pushes).toHaveLength(1);
  });

  it('covers the rest of the bus: connection, room, channel with observers, ask, disconnect, loopws names', async () => {
    const bus = new RecordingEventBus();
    const seen: unknown[] = [];
    bus
      .on('chat:*')
      .subscribe(({ name, service, event, data }) => seen.push([name, service, event, data]));
    bus.connectionResult = 'filtered';
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('filtered');
    await bus.pushToRoom('lobby', 'chat:n', 2);
    await bus.pushToChannel('chat:n', 3);
    await bus.pushToChannel('billing:n', 4);
    await bus.pushEvent(1, 2, 'chat', 'n', 5);
    bus.answerWith('device:status', (data) => ['asked', data]);
    expect(await bus.ask('acme', 'phone', 'device:status', 6, { timeoutMs: 1 })).toEqual([
      'asked',
      6,
    ]);
    await expect(
      bus.ask('acme', 'phone', 'device:other', 7, { timeoutMs: 1 }),
    ).rejects.toMatchObject({
      reason: 'not_connected',
    });
    await bus.disconnect('acme', 'phone', 4000);
    expect(seen).toEqual([['chat:n', 'chat', 'n', 3]]);
    expect(bus.pushes.map(({ target }) => target.kind)).toEqual([
      'connection',
      'room',
      'channel',
      'channel',
      'connection',
    ]);
    expect(bus.pushes.at(-1)!.target).toEqual({
      kind: 'connection',
      accountId: '1',
      connectionId: '2',
    });
    expect(bus.disconnects).toEqual([{ accountId: 'acme', connectionId: 'phone', code: 4000 }]);
  });
});

describe('LoopTestClient', () => {
  it('gives up with the frames that did come', async () => {
    const { bus, client } = await startLoopApp();
    const one = await client('acme', { timeoutMs: 500 });
    await bus.pushToAccount('acme', 'chat:other', { n: 1 });
    await expect(one.next('chat:wanted')).rejects.toThrow(
      /Waited for the event "chat:wanted": nothing more came within 500 ms.*\n.*chat:other/s,
    );
  });

  it('gives up at once when the connection is closed, and says how', async () => {
    const { bus, client } = await startLoopApp();
    const one = await client('acme', { timeoutMs: 60_000 });
    const waiting = one.next('chat:wanted');
    await bus.disconnect('acme', undefined, 4000, 'Enough.');
    await expect(waiting).rejects.toThrow(/the server closed with 4000 Enough/);
  });

  it('says that an upgrade was refused', async () => {
    const { client } = await startLoopApp({ options: { authenticate: () => null } });
    await expect(client()).rejects.toThrow(/Waited for a welcome: the server closed/);
  });
});
