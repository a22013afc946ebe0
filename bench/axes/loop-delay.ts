/* For how long a broadcast keeps the server from everything else. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { endEach, measureEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import type { EventLoopReport } from '../support/event-loop-watch.js';
import { median } from '../support/statistics.js';
import type { Scale } from './axis.js';

const EVENTS = 20;
const EVERY_MS = 300;

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 2_000 : 10_000;
  const rigs = await startEach(ONE_SERVER, async (name) => {
    const rig = await Rig.start(name, { handlers: 0, subscriptions: 1 });
    await rig.connect(connections);
    await rig.publish({ events: 10, perTick: 1, bytes: 200 });
    return rig;
  });
  const own = await measureEach(Math.min(rounds, 3), rigs, measureOne);
  await endEach(rigs);
  const of = (name: PeerName, field: keyof EventLoopReport): number =>
    median(own.get(name)!.map((report) => report[field]));
  return {
    title: 'Event loop during a broadcast',
    text:
      `${EVENTS} events to ${connections} connections, one every ${EVERY_MS} ms. "p99" is how long something that comes at ` +
      'any moment waits for the event loop, in 99 % of all moments at most; "longest" is the longest wait, "of its own" that ' +
      'during which the process itself was running. Milliseconds, median of the rounds.',
    tables: [
      {
        title: 'Milliseconds',
        head: ['', 'p99', 'longest', 'longest of its own'],
        rows: ONE_SERVER.map((name) => [
          name,
          of(name, 'p99WaitMs').toFixed(1),
          of(name, 'longestDelayMs').toFixed(1),
          of(name, 'longestOwnMs').toFixed(1),
        ]),
      },
    ],
    charts: [],
    verdicts: [
      {
        what: `p99 of the wait for the event loop, broadcast to ${connections}`,
        figure: of('loopws', 'p99WaitMs'),
        limit: 20,
        unit: ' ms',
      },
    ],
  };
}

async function measureOne(rig: Rig): Promise<EventLoopReport> {
  await rig.server.call('watchEventLoop', undefined);
  await rig.publish({ events: EVENTS, perTick: 1, everyMs: EVERY_MS, bytes: 200 });
  return rig.server.call('eventLoop', undefined);
}
