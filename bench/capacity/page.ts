import type { Line } from '../support/linear-fit.js';
import { table } from '../support/report.js';
import { type Demand, LIMITS, reachOf, type Resource, RESOURCES, usageOf } from './model.js';
import { type CapacityPoints, type Measured, MOST_CONNECTIONS, type PushCost } from './points.js';

const MILLION = 1_000_000;
const DEMANDS: readonly Demand[] = [
  {
    title:
      'Notifications: a push to each account every ten minutes, an event for everybody every minute',
    pushesEach: 1 / 600,
    broadcasts: 1 / 60,
  },
  {
    title: 'Chat: a push to each account every ten seconds',
    pushesEach: 1 / 10,
    broadcasts: 0,
  },
  {
    title: 'A live board: an event for everybody every second, a push to each account every hour',
    pushesEach: 1 / 3_600,
    broadcasts: 1,
  },
];
const SERVERS = [10, 20, 50, 100];
const REACH_SERVERS = 20;
const GIB = 2 ** 30;

export function capacityPage(points: CapacityPoints, conditions: readonly string[]): string {
  return [
    INTRODUCTION,
    conditions.map((line) => `- ${line}`).join('\n'),
    '\n## What was measured\n',
    measuredTable(points),
    `\n${pushTable(points)}\n\n${otherCosts(points)}\n`,
    MODEL,
    ...DEMANDS.map((demand) => demandText(points, demand)),
    REMEDIES,
  ].join('\n');
}

function measuredTable({ broadcast, redisBroadcast, redisIdle, memory }: CapacityPoints): string {
  const row = (title: string, { points, line }: Measured, unit: string, scale = 1): string[] => [
    title,
    points.map(([x, y]) => `${x}: ${(y / scale).toFixed(0)}`).join(', '),
    lineText(line, scale),
    unit,
    `${(line.error * 100).toFixed(0)} %`,
  ];
  return table(
    ['what', 'measured', 'line', 'unit', 'off by at most'],
    [
      row('CPU of a server per event for everybody, by its connections', broadcast, 'µs'),
      row('CPU of Redis per event for everybody with its result, by servers', redisBroadcast, 'µs'),
      row('CPU of Redis per second while nobody pushes, by servers', redisIdle, 'µs'),
      row('resident memory of a server, by its connections', memory, 'KiB', 1_024),
    ],
  );
}

function lineText({ base, slope }: Line, scale: number): string {
  return `${(base / scale).toFixed(0)} + ${(slope / scale).toFixed(2)} n`;
}

function pushTable({ pushAlone, pushTogether }: CapacityPoints): string {
  const row = (title: string, { publisher, redis, receiver }: PushCost): string[] => [
    title,
    ...[publisher, redis, receiver].map((micros) => micros.toFixed(1)),
  ];
  return table(
    [
      'a push from one of eight servers to an account of another, with its result, µs',
      'publisher',
      'Redis',
      'receiver',
    ],
    [
      row('one per millisecond, alone in its turn of the event loop', pushAlone),
      row('16 in a turn, every 5 ms', pushTogether),
    ],
  );
}

function otherCosts(points: CapacityPoints): string {
  const { heartbeat, redisBytesPerAccount, kernelBytes, comingBack } = points;
  return (
    `A heartbeat of a connection takes a server ${heartbeat.toFixed(1)} µs. An account with a connection takes ` +
    `${redisBytesPerAccount.toFixed(0)} bytes in Redis, its channel included; when it comes online, that takes its server ` +
    `${comingBack.server.toFixed(0)} µs and Redis ${comingBack.redis.toFixed(0)} µs. The kernel holds ` +
    `${(kernelBytes / 1_024).toFixed(1)} KiB for an idle connection.`
  );
}

/** What a million connections would take, and how many connections are possible. */
export function demandText(points: CapacityPoints, demand: Demand): string {
  const head = ['servers', 'connections of each', ...RESOURCES, 'fullest'];
  const rows = SERVERS.map((servers) => predictionRow(points, demand, servers));
  return (
    `\n### ${demand.title}\n\nOne million connections:\n\n${table(head, rows)}\n\n` +
    `How many connections ${REACH_SERVERS} servers can hold until each of these is full:\n\n${reachTable(points, demand)}\n`
  );
}

function predictionRow(points: CapacityPoints, demand: Demand, servers: number): string[] {
  const cluster = { servers, connections: MILLION };
  const cheap = usageOf(points, demand, { ...cluster, push: points.pushTogether });
  const dear = usageOf(points, demand, { ...cluster, push: points.pushAlone });
  const shareOf = (resource: Resource): number => dear[resource] / LIMITS[resource].at;
  const fullest = RESOURCES.toSorted((a, b) => shareOf(b) - shareOf(a))[0]!;
  const isBeyond = MILLION / servers > MOST_CONNECTIONS;
  return [
    `${servers}`,
    `${thousands(MILLION / servers)}${isBeyond ? ' (extrapolated)' : ''}`,
    ...RESOURCES.map((resource) => rangeText(resource, cheap[resource], dear[resource])),
    `${fullest}${shareOf(fullest) > 1 ? ', too full' : ''}`,
  ];
}

function reachTable(points: CapacityPoints, demand: Demand): string {
  const { pushTogether, pushAlone } = points;
  const row = (title: string, push: PushCost): string[] => [
    title,
    ...RESOURCES.map((resource) =>
      thousands(reachOf(points, demand, { servers: REACH_SERVERS, push }, resource)),
    ),
  ];
  return table(
    ['pushes', ...RESOURCES],
    [row('16 per turn', pushTogether), row('each alone', pushAlone)],
  );
}

function rangeText(resource: Resource, cheap: number, dear: number): string {
  const text = (value: number): string => {
    switch (LIMITS[resource].unit) {
      case 'bytes':
        return `${(value / GIB).toFixed(2)} GiB`;
      case 'seconds':
        return `${value.toFixed(0)} s`;
      case 'of a processor':
        return `${(value * 100).toFixed(0)} %`;
    }
  };
  return text(cheap) === text(dear) ? text(cheap) : `${text(cheap)}, ${text(dear)}`;
}

function thousands(value: number): string {
  return value.toLocaleString('en').replaceAll(',', ' ');
}

const INTRODUCTION = `# Capacity

How many connections a cluster can hold, and which resource runs out first: costs that were measured on one machine, and a
linear model that is extrapolated from them. \`npm run bench:capacity\` writes this page; run it on your machine, and let it
print what it says of your own load (\`npm run bench:capacity -- --pushes-each 0.1 --broadcasts 2\`: pushes per connection and
second, events for everybody per second). Nothing here was run with a million connections, and a network, TLS and your
handlers cost more.
`;

const MODEL = `## The model

- **A server** pays for a heartbeat of each connection every \`heartbeatMs\`, for each event for everybody (the first line
  above), and for the pushes that it publishes and receives; these are taken to be spread evenly over the servers. Several
  events of one turn of the event loop leave in one write, so a burst costs less than the line says.
- **Redis** pays for each push, for each event for everybody (the second line), and for the heartbeats of the servers (the
  third line). It uses one processor, however many the machine has. A heartbeat is answered with those of all members, which
  does not show in a line through few servers: \`npm run bench:targeted\` measures up to 64.
- **Pushes** cost less when several share a turn of the event loop. Where a cell of the tables has two figures, the first one
  is for 16 pushes per turn and the second one for each push alone; "fullest" goes by the second.
- **Patterns** cost memory, and time only for names that are not pushed again and again: see matching in
  [benchmarks](benchmarks.md).
- **Memory** is that of the process, of the kernel for its connections, and in Redis of each account that is online, its
  channel included. Node bounds its heap by default: raise \`--max-old-space-size\` above what the table says.
- **Everybody back** is how long it takes until all are online again after the whole cluster was restarted, when nothing but
  processors bounds it: those of the servers, or that of Redis.
- **Full** is 60 % of a processor, which leaves room for the moment in which a server fails and its clients come to the
  others; 4 GiB of memory of a server and 2 GiB of its kernel; 8 GiB of Redis; five minutes until everybody is back.
- **Extrapolated** means that a server has more connections than the ${MOST_CONNECTIONS} that were measured.

## One million connections
`;

const REMEDIES = `
## What runs out first, and what to do then

- **The event loop of the servers**, with many events for everybody: a delivery is a write to a socket, and most of that is
  the kernel's work. Publish several events in one turn of the event loop, which leave in one write; send to rooms or accounts
  what only some clients need; add servers.
- **The time of Redis**, with many pushes to accounts: publish those of one turn together; ask for no result where nobody
  reads it (\`receipt: false\`); use a Redis Cluster, over which the accounts are spread evenly.
- **The memory of Redis and the number of its subscriptions**, with millions of accounts online: each has a channel and an
  entry. A Redis Cluster divides both.
- **The memory of a server**, with many connections that do little: add servers. The kernel's part also needs
  \`net.ipv4.tcp_mem\`, and each connection needs a file: raise \`nofile\`.
- **Everybody back**: \`upgradesPerSecond\` of each server bounds how many come at once, and \`reconnectSpreadMs\` spreads them,
  so that those who are connected are served meanwhile. Restart one server after the other.
`;
