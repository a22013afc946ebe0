import { Injectable } from '@nestjs/common';
import { EventBus, LoopConnection, OnLoopConnect, OnLoopEvent } from '../../lib/index.js';
import { closeCountedFronts, countedPeer, startCountedFront } from '../support/counted-front.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { upTo } from '../support/numbers.js';
import { cutRawPeers, RawPeer, textFrame } from '../support/raw-peer.js';

const CONNECTIONS = 50;

/** So long that it is written as memory, of which can be seen whether it is the same. */
const LONG = 'x'.repeat(3_000);

afterEach(async () => {
  cutRawPeers();
  closeCountedFronts();
  await closeLoopApps();
});

/** What the server writes to each of many connections while `work` runs: the buffers of each write. */
async function writesDuring(
  work: (bus: Awaited<ReturnType<typeof startLoopApp>>['bus']) => unknown,
  last: string,
): Promise<Buffer[][][]> {
  const app = await startLoopApp();
  const front = await startCountedFront(app);
  const peers: RawPeer[] = [];
  for (let n = 0; n < CONNECTIONS; n++) {
    peers.push(await RawPeer.open(front.port, { token: `account${n}` }));
  }
  const before = front.streams.map(({ writes }) => writes.length);
  await work(app.bus);
  await eventually('everybody has the last event', () =>
    peers.every(({ texts }) =>
      texts.some((frame) => frame.op === undefined && frame.event === last),
    ),
  );
  return front.streams.map(({ writes }, at) => writes.slice(before[at]));
}

describe('what a broadcast costs, in counts that no machine changes', () => {
  it('an event is encoded once, and every connection is handed the same bytes in one write', async () => {
    const writes = await writesDuring((bus) => bus.pushToChannel('chat:one', LONG), 'chat:one');
    expect(writes.map((own) => own.length)).toEqual(writes.map(() => 1));
    const frames = writes.flat(2);
    expect(frames).toHaveLength(CONNECTIONS);
    expect(new Set(frames).size).toBe(1);
  });

  it('the events of a turn are joined once, and every connection is handed the same bytes in one write', async () => {
    const writes = await writesDuring((bus) => {
      for (let n = 0; n < 20; n++) void bus.pushToChannel('chat:many', `${n}${LONG}`);
      void bus.pushToChannel('chat:last', 0);
    }, 'chat:last');
    expect(writes.map((own) => own.length)).toEqual(writes.map(() => 1));
    const frames = writes.flat(2);
    expect(frames).toHaveLength(CONNECTIONS);
    expect(new Set(frames).size).toBe(1);
  });
});

/** Sends its connection whatever a server can send. */
@Injectable()
class Mixed {
  constructor(private readonly bus: EventBus) {}

  @OnLoopConnect()
  enter(connection: LoopConnection): Promise<void> {
    return connection.join('lobby');
  }

  @OnLoopEvent('chat:mix')
  async mix(_body: unknown, connection: LoopConnection): Promise<string> {
    const { accountId, connectionId } = connection;
    connection.send('chat:n', 0);
    await Promise.all([
      this.bus.pushToConnection(accountId, connectionId, 'chat:n', 1),
      this.bus.pushToAccount(accountId, 'chat:n', 2),
      this.bus.pushToRoom('lobby', 'chat:n', 3),
      this.bus.pushToChannel('chat:n', 4),
    ]);
    return 'done';
  }
}

function numbersOf(peer: RawPeer): unknown[] {
  return peer.texts.flatMap((frame) => (frame.op === undefined ? [frame.data] : []));
}

describe('P6: frames of one turn of the event loop', () => {
  it('leave in one write, whole and in order', async () => {
    const app = await startLoopApp();
    const [peer, stream] = await countedPeer(app, 'acme');
    const before = stream.writes.length;
    const pushes = upTo(8).map((n) => app.bus.pushToAccount('acme', 'chat:n', n));
    await Promise.all(pushes);
    await eventually('all eight', () => numbersOf(peer).length === 8);
    expect(stream.writes.length - before).toBe(1);
    expect(stream.writes.at(-1)).toHaveLength(1); // one piece of memory
    expect(numbersOf(peer)).toEqual(upTo(8));
  });

  it('leave in one write also when replies, pongs and pushes of every kind mix', async () => {
    const app = await startLoopApp({ providers: [Mixed] });
    const [peer, stream] = await countedPeer(app, 'acme');
    const before = stream.writes.length;
    peer.send(Buffer.concat([textFrame({ event: 'chat:mix', id: 1 }), textFrame({ op: 'ping' })]));
    await peer.next('the reply', ({ op }) => op === 'reply');
    await peer.next('the pong', ({ op }) => op === 'pong');
    expect(stream.writes.length - before).toBe(1);
    expect(numbersOf(peer)).toEqual(upTo(5));
  });

  it('share the bytes of long ones among connections, and their payload is encoded once', async () => {
    const app = await startLoopApp();
    const [, one] = await countedPeer(app, 'acme');
    const [, other] = await countedPeer(app, 'acme');
    let encoded = 0;
    const data = { toJSON: () => `${++encoded}${'x'.repeat(3_000)}` };
    expect(await app.bus.pushToChannel('chat:n', data)).toMatchObject({ delivered: 2 });
    await eventually('both writes', () =>
      [one, other].every(({ writes }) => lastText(writes) !== ''),
    );
    expect(lastText(one.writes)).toContain('{"event":"chat:n","data":"1x');
    expect(one.writes.at(-1)![0]).toBe(other.writes.at(-1)![0]);
    expect(encoded).toBe(1);
  });

  function lastText(writes: readonly Buffer[][]): string {
    const text = Buffer.concat(writes.at(-1)!).toString();
    return text.includes('chat:n') ? text : '';
  }
});
