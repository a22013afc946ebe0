/*
 * npm run bench:guard
 *
 * Fails when an optimisation was lost: ratios within this run, against limits that leave room for a busy machine.
 */
import { type Load, measureFanOut, ratioTo } from './axes/fan-out.js';
import { run as runInbound } from './axes/inbound.js';
import { run as runLoopDelay } from './axes/loop-delay.js';
import { run as runMatching } from './axes/matching.js';
import { run as runMemory } from './axes/memory.js';
import { run as runRelay } from './axes/relay-channel.js';
import { holds, type Verdict } from './report/figures.js';
import { endRedisServers } from '../test/support/redis-server.js';
import { endRemotes } from './support/remote.js';

const ROUNDS = 3;

/**
 * Share of what a loop over `ws` costs, by events per tick. Measured: 0.6 to 1.0, 0.1 to 0.2 and 0.05. A write of its own for
 * each event makes the last two 1; the first one is of what is done for each delivery.
 */
const FAN_OUT_LIMITS: readonly (readonly [perTick: number, limit: number])[] = [
  [1, 1.4],
  [8, 0.35],
  [32, 0.15],
];

async function fanOutVerdicts(): Promise<Verdict[]> {
  const loads = FAN_OUT_LIMITS.map(([perTick]): Load => ({
    connections: 1_000,
    perTick,
    bytes: 200,
  }));
  const fanOut = await measureFanOut(loads, ROUNDS, ['loopws', 'ws']);
  return loads.map((load, at) => ({
    what: `fan-out, ${load.perTick} per tick, of a ws loop`,
    ...ratioTo('ws', fanOut, load),
    limit: FAN_OUT_LIMITS[at]![1],
  }));
}

/** By how much the limits of the other axes are raised, for a busy machine. */
const SLACK = 1.5;

const withSlack = ({ limit, ...verdict }: Verdict): Verdict => ({
  ...verdict,
  limit: limit * SLACK,
});

async function verdictsOfThisRun(): Promise<Verdict[]> {
  const quick = { quick: true, rounds: ROUNDS };
  const sections = [
    await runMemory(quick, ['loopws', 'nest-ws']),
    await runInbound(quick, ['loopws', 'nest-ws']),
    await runRelay(quick, ['loopws', 'socket.io classic']),
    await runLoopDelay(quick, ['loopws', 'ws']),
    await runMatching(quick),
  ];
  const verdicts = sections.flatMap((section) => section.verdicts);
  const guarded = verdicts.filter(({ isGuarded }) => isGuarded);
  return [...(await fanOutVerdicts()), ...guarded.map(withSlack)];
}

try {
  const verdicts = await verdictsOfThisRun();
  for (const verdict of verdicts) {
    const { what, figure, limit, unit = '' } = verdict;
    console.log(
      `${holds(verdict) ? 'ok  ' : 'LOST'} ${what}: ${figure.toPrecision(2)}${unit}, at most ${limit.toPrecision(2)}${unit}`,
    );
  }
  process.exitCode = verdicts.every(holds) ? 0 : 1;
} finally {
  await endRemotes();
  endRedisServers();
}
process.exit();
