/*
 * What a durable push costs Redis, beside one without history: two servers, one pushes to the accounts of the other. The
 * rounds alternate between the loads, so whatever disturbs the machine disturbs them equally.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { endRedisServers } from '../../test/support/redis-server.js';
import { endRemotes, Remote } from '../support/remote.js';
import { conditions, table } from '../support/report.js';
import { median, medianAndLeast } from '../support/statistics.js';
import { BenchCluster, type Host, type Window } from './bench-cluster.js';
import type { Load, TargetedProcess } from './targeted-process.js';

const ROUNDS = 8;
const WINDOW_MS = 1_000;
const LOADS: Readonly<Record<string, Load>> = {
  'without history, 1 per tick': { burst: 1, pauseMs: 0 },
  'durable, 1 per tick': { burst: 1, pauseMs: 0, event: 'orders:changed' },
  'without history, 16 per tick': { burst: 16, pauseMs: 0 },
  'durable, 16 per tick': { burst: 16, pauseMs: 0, event: 'orders:changed' },
};
const BASE = 'without history, 1 per tick';

interface Cost {
  readonly redisMicros: number;
  readonly commands: number;
  readonly publisherMicros: number;
}

/** Without what the idle cluster would have cost meanwhile. */
function costOf(window: Window, idle: Window): Cost {
  const share = window.ms / idle.ms;
  const per = (field: 'redisMicros' | 'commands' | 'publisherMicros'): number =>
    (window[field] - idle[field] * share) / window.pushes;
  return {
    redisMicros: per('redisMicros'),
    commands: per('commands'),
    publisherMicros: per('publisherMicros'),
  };
}

async function measure(cluster: BenchCluster): Promise<Map<string, Cost[]>> {
  const costs = new Map(Object.keys(LOADS).map((name): [string, Cost[]] => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    const loads = Object.entries(LOADS);
    const idle = await cluster.measure(() => delay(WINDOW_MS, 0));
    for (const [name, load] of round % 2 === 0 ? loads : loads.toReversed()) {
      const window = await cluster.measure(() => cluster.push(load, WINDOW_MS));
      costs.get(name)!.push(costOf(window, idle));
    }
  }
  return costs;
}

function costTable(costs: ReadonlyMap<string, readonly Cost[]>): string {
  const micros = (name: string): number[] => costs.get(name)!.map(({ redisMicros }) => redisMicros);
  const base = median(micros(BASE));
  const rows = [...costs].map(([name, own]) => [
    name,
    medianAndLeast(micros(name), 1),
    (median(micros(name)) / base).toFixed(2),
    medianAndLeast(
      own.map(({ commands }) => commands),
      2,
    ),
    medianAndLeast(
      own.map(({ publisherMicros }) => publisherMicros),
      0,
    ),
  ]);
  return table(['push', 'Redis µs', 'ratio', 'commands', 'publisher µs'], rows);
}

function startHost(): Host {
  return new Remote<TargetedProcess>(new URL('targeted-process.js', import.meta.url));
}

const cluster = await BenchCluster.start([startHost(), startHost()], { durable: true });
for (const load of Object.values(LOADS)) await cluster.push(load, WINDOW_MS / 2); // until the engine has compiled it
console.log(conditions(await cluster.redisVersion()));
console.log(`${ROUNDS} rounds. Each cell: median (least). Ratio to the first line.\n`);
console.log(costTable(await measure(cluster)));
await endRemotes();
endRedisServers();
process.exit();
