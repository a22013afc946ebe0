import type { Line } from '../support/linear-fit.js';
import { table } from '../support/report.js';
import { type Demand, LIMITS, reachOf, type Resource, RESOURCES, usageOf } from './model.js';
import type { CapacityPoints, Measured, PushCost } from './points.js';

const MILLION = 1_000_000;
const DEMANDS: readonly Demand[] = [
  {
    title:
      'Notifications: a push to each account in ten minutes, an event for everybody per minute',
    pushesEach: 1 / 600,
    broadcasts: 1 / 60,
  },
  {
    title: 'Chat: a push to each account in ten seconds',
    pushesEach: 1 / 10,
    broadcasts: 0,
  },
  {
    title: 'A live board: an event for everybody per second, a push to each account per hour',
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
    `\n${beyondText(points)}\n\n${pushTable(points)}\n\n${otherCosts(points)}\n`,
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
      row('an event for all of a server, by connections', broadcast, 'µs'),
      row('an event for all in Redis, by servers', redisBroadcast, 'µs'),
      row('servers that do nothing, in Redis per second, by servers', redisIdle, 'µs'),
      row('memory of a server, by connections', memory, 'KiB', 1_024),
    ],
  );
}

function lineText({ base, slope }: Line, scale: number): string {
  return `${(base / scale).toFixed(0)} + ${(slope / scale).toFixed(2)} n`;
}

function beyondText({ broadcast: { line }, broadcastBeyond }: CapacityPoints): string {
  const [connections, micros] = broadcastBeyond;
  const predicted = line.base + line.slope * connections;
  return (
    `Held against the first line: an event for ${connections} connections took ${micros.toFixed(0)} µs, and the line says ` +
    `${predicted.toFixed(0)}. On loopback each write also wakes the process that reads.`
  );
}

function pushTable({ pushAlone, pushTogether }: CapacityPoints): string {
  const row = (title: string, { publisher, redis, receiver }: PushCost): string[] => [
    title,
    ...[publisher, redis, receiver].map((micros) => micros.toFixed(1)),
  ];
  return table(
    [
      'a push to an account of another server, with its result, µs',
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

function otherCosts({ heartbeat, redisBytesPerAccount, kernelBytes }: CapacityPoints): string {
  return (
    `One heartbeat of a connection takes a server ${heartbeat.toFixed(1)} µs. An account with a connection takes ` +
    `${redisBytesPerAccount.toFixed(0)} bytes in Redis, its channel included. The kernel holds ` +
    `${(kernelBytes / 1_024).toFixed(1)} KiB for each connection that does nothing.`
  );
}

function demandText(points: CapacityPoints, demand: Demand): string {
  const head = ['servers', ...RESOURCES, 'fullest'];
  const rows = SERVERS.map((servers) => predictionRow(points, demand, servers));
  return (
    `\n### ${demand.title}\n\nOne million connections: pushes in turns of 16, and alone.\n\n${table(head, rows)}\n\n` +
    `How many connections ${REACH_SERVERS} servers hold until each of these is full:\n\n${reachTable(points, demand)}\n`
  );
}

function predictionRow(points: CapacityPoints, demand: Demand, servers: number): string[] {
  const cluster = { servers, connections: MILLION };
  const cheap = usageOf(points, demand, { ...cluster, push: points.pushTogether });
  const dear = usageOf(points, demand, { ...cluster, push: points.pushAlone });
  const loadOf = (resource: Resource): number => dear[resource] / LIMITS[resource].at;
  const fullest = RESOURCES.toSorted((a, b) => loadOf(b) - loadOf(a))[0]!;
  return [
    `${servers}`,
    ...RESOURCES.map((resource) => rangeText(resource, cheap[resource], dear[resource])),
    `${fullest}${loadOf(fullest) > 1 ? ', too full' : ''}`,
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
    [row('in turns of 16', pushTogether), row('alone', pushAlone)],
  );
}

function rangeText(resource: Resource, cheap: number, dear: number): string {
  const text = (value: number): string =>
    LIMITS[resource].unit === 'bytes'
      ? `${(value / GIB).toFixed(2)} GiB`
      : `${(value * 100).toFixed(0)} %`;
  return text(cheap) === text(dear) ? text(cheap) : `${text(cheap)}, ${text(dear)}`;
}

function thousands(value: number): string {
  return value.toLocaleString('en').replaceAll(',', ' ');
}

const INTRODUCTION = `# Capacity

How far it goes, and what breaks first: points measured on one machine, lines through them, and what the lines say of a
million connections. Written by \`npm run bench:capacity\`; run it on your machine, and put your own load in. A prediction is
not a measurement: nothing here was run with a million connections, and a network, TLS and your handlers cost more.
`;

const MODEL = `## The model

- **A server** pays for each of its connections one heartbeat per \`heartbeatMs\`, for each event for everybody the line above
  over its connections, and for the pushes that it publishes and receives; they are taken to be spread evenly. Several events
  of one turn of the event loop leave in one write, so that a burst costs less than the line says.
- **Redis** pays for each push once, for each event for everybody the line over the servers, and for the signs of life of
  all servers. It uses one processor, whatever the machine has. Each beat is answered with those of all members, which the line
  over few servers does not show: \`npm run bench:targeted\` measures it with up to 64.
- **Patterns** cost memory only: finding the subscribers of an event is a few lookups, however many patterns there are, see
  [benchmarks](benchmarks.md).
- **Memory** is that of the process, of the kernel for each connection, and in Redis of each account that is online with its
  channel. The heap of Node is bounded by default; set \`--max-old-space-size\` above what the table says.
- **Full** is 60 % of a processor, for the moment in which a server fails and its clients come to the others; 4 GiB for a server
  and 8 GiB for Redis.

## One million connections
`;

const REMEDIES = `
## What breaks first, and what to do then

- **The event loop of the servers**, when there are many events for everybody: a delivery is a write to a socket, and most of it
  is the kernel's. Publish several events in one turn of the event loop, which leave in one write; publish to rooms or accounts
  what not everybody needs; use more servers.
- **The time of Redis**, when there are many pushes to accounts: publish those of one turn together, ask for no result where
  nobody reads it (\`receipt: false\`), and use a Redis Cluster, over which the accounts are spread evenly.
- **The memory of Redis and the number of its subscriptions**, with millions of accounts that are online: each has a channel and
  an entry. A Redis Cluster divides both.
- **The memory of a server**, with many connections that do little: more servers. The kernel's part needs
  \`net.ipv4.tcp_mem\`, and each connection a file: raise \`nofile\`.
- **Everybody at once**: after a restart connections cost more than anything else, see connecting in
  [benchmarks](benchmarks.md). \`upgradesPerSecond\` bounds it, \`reconnectSpreadMs\` spreads it.
`;
