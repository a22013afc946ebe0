/* For how long a broadcast keeps the server from everything else. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import type { EventLoopReport } from '../support/event-loop-watch.js';
import { ratioOf } from '../support/ratio.js';
import { median } from '../support/statistics.js';
import type { Scale } from './axis.js';

const EVENTS = 20;
const EVERY_MS = 300;

export async function run(
  { quick, rounds }: Scale,
  peers: readonly PeerName[] = ONE_SERVER,
): Promise<Section> {
  const connections = quick ? 2_000 : 10_000;
  const rigs = await startEach(peers, async (name) => {
    const rig = await Rig.start(name, { handlers: 0, subscriptions: 1 });
    await rig.connect(connections);
    await rig.publish({ events: 10, perTick: 1, bytes: 200 });
    return rig;
  });
  const own = await measureEach(Math.min(rounds, 3), rigs, measureOne);
  await endEach(rigs);
  const all = (name: PeerName, field: keyof EventLoopReport): number[] =>
    own.get(name)!.map((report) => report[field]);
  const of = (name: PeerName, field: keyof EventLoopReport): number => median(all(name, field));
  return {
    title: 'Event loop during a broadcast',
    text:
      `${EVENTS} events to ${connections} connections, one every ${EVERY_MS} ms. "p99": a task that arrives at a random moment ` +
      'waits no longer than this for the event loop in 99 % of cases. "Longest" is the longest wait, "own" the part of it in ' +
      `which the process was on a processor. Milliseconds, median of the rounds. ${clientsText(rigs)}`,
    tables: [
      {
        title: 'Milliseconds',
        head: ['', 'p99', 'longest', 'own'],
        rows: peers.map((name) => [
          name,
          of(name, 'p99WaitMs').toFixed(1),
          of(name, 'longestDelayMs').toFixed(1),
          of(name, 'longestOwnMs').toFixed(1),
        ]),
      },
    ],
    charts: [
      {
        title: 'Wait for the event loop during a broadcast',
        unit: `ms, ${connections} connections`,
        groups: ['p99', 'longest'],
        series: peers.map((name) => ({
          name,
          values: [of(name, 'p99WaitMs'), of(name, 'longestDelayMs')],
        })),
      },
    ],
    verdicts: [
      {
        what: `p99 of the wait for the event loop, broadcast to ${connections}`,
        figure: of('loopws', 'p99WaitMs'),
        limit: 20,
        unit: ' ms',
      },
      {
        what: `p99 of the wait for the event loop, broadcast to ${connections}, of ws`,
        ...ratioOf(all('loopws', 'p99WaitMs'), all('ws', 'p99WaitMs')),
        limit: 0.5,
        isGuarded: true,
      },
    ],
  };
}

async function measureOne(rig: Rig): Promise<EventLoopReport> {
  await rig.server.call('watchEventLoop', undefined);
  await rig.measure(() =>
    rig.publish({ events: EVENTS, perTick: 1, everyMs: EVERY_MS, bytes: 200 }),
  );
  return rig.server.call('eventLoop', undefined);
}
