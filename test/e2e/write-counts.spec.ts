import { closeCountedFronts, startCountedFront } from '../support/counted-front.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, RawPeer } from '../support/raw-peer.js';

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
