/*
 * What a durable push costs Redis, beside one without history: two servers, one pushes to the accounts of the other. The
 * rounds alternate between the loads, so whatever disturbs the machine disturbs them equally.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { endRedisServers } from '../../test/support/redis-server.js';
import { endRemotes } from '../support/remote.js';
import { conditions, table } from '../support/report.js';
import { inTurn } from '../support/rounds.js';
import { median, medianAndLeast } from '../support/statistics.js';
import { BenchCluster, costPerPush, startHost } from './bench-cluster.js';
import type { Load } from './targeted-process.js';

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

async function measure(cluster: BenchCluster): Promise<Map<string, Cost[]>> {
  const figures = await inTurn(ROUNDS, Object.entries(LOADS), async ([, load]): Promise<Cost> => {
    const idle = await cluster.measure(() => delay(WINDOW_MS, 0));
    const window = await cluster.measure(() => cluster.push(load, WINDOW_MS));
    return {
      redisMicros: costPerPush(window, idle, 'redisMicros'),
      commands: costPerPush(window, idle, 'commands'),
      publisherMicros: costPerPush(window, idle, 'publisherMicros'),
    };
  });
  return new Map([...figures].map(([[name], costs]) => [name, costs]));
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

const cluster = await BenchCluster.start([startHost(), startHost()], { durable: true });
for (const load of Object.values(LOADS)) await cluster.push(load, WINDOW_MS / 2); // until the engine has compiled it
console.log(conditions(await cluster.redisVersion()));
console.log(`${ROUNDS} rounds. Each cell: median (least). Ratio to the first line.\n`);
console.log(costTable(await measure(cluster)));
await endRemotes();
endRedisServers();
process.exit();
