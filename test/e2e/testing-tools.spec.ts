import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { WebSocketServer } from 'ws';
import { EventBus, LoopConnection, OnLoopEvent } from '../../lib/index.js';
import {
  fakeConnection,
  LoopTestClient,
  RecordingEventBus,
  type ServerFrame,
  type WelcomeFrame,
} from '../../lib/testing/index.js';
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

  it('is an EventBus: a service can be made with it by hand', async () => {
    const bus = new RecordingEventBus();
    await new Billing(bus).pay('i-3');
    expect(bus).toBeInstanceOf(EventBus);
    expect(bus.pushes).toHaveLength(1);
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

describe('fakeConnection', () => {
  class Chat {
    @OnLoopEvent('chat:enter')
    async enter(
      @MessageBody() { room }: { room: string },
      @ConnectedSocket() connection: LoopConnection,
    ): Promise<void> {
      if (connection.claims.banned) return connection.close(4503, 'Banned.');
      await connection.join(room);
      await connection.subscribe('chat:*');
      connection.data.entered = (connection.data.entered as number) + 1;
      connection.send('chat:entered', { room, at: new Date(0) });
    }
  }

  it('is what a handler can be called with, and tells what the handler did', async () => {
    const connection = fakeConnection({
      accountId: 'acme',
      connectionId: 'phone',
      data: { entered: 1 },
    });
    await new Chat().enter({ room: 'lobby' }, connection);
    expect(connection).toBeInstanceOf(LoopConnection);
    expect(connection).toMatchObject({ accountId: 'acme', connectionId: 'phone', state: 'open' });
    expect([...connection.rooms]).toEqual(['lobby']);
    expect([...connection.subscriptions]).toEqual(['chat:*']);
    expect(connection.data).toEqual({ entered: 2 });
    expect(connection.sent).toEqual([
      { name: 'chat:entered', data: { room: 'lobby', at: '1970-01-01T00:00:00.000Z' } },
    ]);
    connection.leave('lobby');
    connection.unsubscribe('chat:*');
    expect([connection.rooms.size, connection.subscriptions.size]).toEqual([0, 0]);
  });

  it('takes nothing once it is closed', async () => {
    const options = { accountId: 'acme', connectionId: 'phone', claims: { banned: true } };
    const connection = fakeConnection(options);
    expect(connection.closed).toBeUndefined();
    await new Chat().enter({ room: 'lobby' }, connection);
    expect(connection.closed).toEqual({ code: 4503, reason: 'Banned.' });
    expect(connection.send('chat:entered', 1)).toBe('send_failed');
    expect(connection.sent).toEqual([]);
  });
});

describe('LoopTestClient', () => {
  it('gives up when the server sends what is no frame, and shows it', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      socket.send('no frame');
      socket.close(1000);
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connecting = LoopTestClient.connect(`ws://127.0.0.1:${port}`);
    await expect(connecting).rejects.toThrow(
      /a welcome: the server sent what is no frame: no frame/,
    );
    server.close();
  });

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

  it('hands out frames under types that a test can name', async () => {
    const { client } = await startLoopApp();
    const one = await client();
    const welcome: WelcomeFrame = one.welcome;
    const frames: readonly ServerFrame[] = one.frames;
    expect(frames).toEqual([welcome]);
  });

  it('says that an upgrade was refused', async () => {
    const { client } = await startLoopApp({ options: { authenticate: () => null } });
    await expect(client()).rejects.toThrow(/Waited for a welcome: the server closed/);
  });
});
