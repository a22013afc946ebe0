import type { Line } from '../support/linear-fit.js';
import { table } from '../support/report.js';
import { type Demand, predict, type Prediction } from './model.js';
import type { CapacityPoints, Measured } from './points.js';

const MILLION = 1_000_000;
const DEMANDS: readonly Demand[] = [
  {
    title: 'Notifications: a push to each account per minute, an event for everybody per minute',
    connections: MILLION,
    pushes: MILLION / 60,
    broadcasts: 1 / 60,
  },
  {
    title: 'A live board: an event for everybody per second, a push to each account per hour',
    connections: MILLION,
    pushes: MILLION / 3_600,
    broadcasts: 1,
  },
];
const SERVERS = [10, 20, 50, 100];

/** What one processor should be kept below, so that there is room when a server fails. */
const FULL = 0.6;

export function capacityPage(points: CapacityPoints, conditions: readonly string[]): string {
  return [
    INTRODUCTION,
    conditions.map((line) => `- ${line}`).join('\n'),
    '\n## What was measured\n',
    measuredTable(points),
    `\n${deliveryText(points)}\n\n${otherCosts(points)}\n`,
    MODEL,
    ...DEMANDS.map((demand) => demandText(points, demand)),
    REMEDIES,
  ].join('\n');
}

function deliveryText({ awakeDelivery }: CapacityPoints): string {
  return (
    'Each write of the first line wakes a reader, which is most of what it costs. With so many connections that their readers ' +
    `never come to rest, a delivery takes ${awakeDelivery.toFixed(1)} µs. Yours are between the two.`
  );
}

function otherCosts(points: CapacityPoints): string {
  const { push, heartbeat, redisBytesPerAccount, redisIdlePerServer, kernelBytes } = points;
  return (
    `One heartbeat of a connection takes a server ${heartbeat.toFixed(1)} µs. A push to one account of another server, ` +
    `without a result, takes the publisher ${push.publisher.toFixed(1)} µs, Redis ${push.redis.toFixed(1)} µs and the ` +
    `receiver ${push.receiver.toFixed(1)} µs, four per turn of the event loop. An account with a connection takes ` +
    `${redisBytesPerAccount.toFixed(0)} bytes in Redis, and an idle server ${redisIdlePerServer.toFixed(0)} µs of its time ` +
    `per second. The kernel holds ${(kernelBytes / 1_024).toFixed(1)} KiB for each connection that does nothing.`
  );
}

function measuredTable({ broadcast, redisBroadcast, memory }: CapacityPoints): string {
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
      row('an event for all of a server, by connections, readers asleep', broadcast, 'µs'),
      row('an event for all in Redis, by servers', redisBroadcast, 'µs'),
      row('memory of a server, by connections', memory, 'KiB', 1_024),
    ],
  );
}

function lineText({ base, slope }: Line, scale: number): string {
  return `${(base / scale).toFixed(0)} + ${(slope / scale).toFixed(2)} n`;
}

function demandText(points: CapacityPoints, demand: Demand): string {
  const predictions = SERVERS.map((servers) => predict(points, demand, servers));
  const head = [
    'servers',
    'connections each',
    'CPU of each, readers asleep',
    'awake',
    'GiB of each',
    'CPU of Redis',
    'GiB of Redis',
    'first to be full',
  ];
  return `\n### ${demand.title}\n\n${table(head, predictions.map(predictionRow))}\n`;
}

function predictionRow(prediction: Prediction): string[] {
  const { servers, connectionsEach, serverLoad, serverLoadAwake, serverGiB } = prediction;
  const { redisLoad, redisGiB } = prediction;
  return [
    `${servers}`,
    `${connectionsEach}`,
    percent(serverLoad),
    percent(serverLoadAwake),
    serverGiB.toFixed(2),
    percent(redisLoad),
    redisGiB.toFixed(2),
    firstFull(prediction),
  ];
}

function firstFull({ serverLoad, redisLoad }: Prediction): string {
  if (Math.max(serverLoad, redisLoad) < FULL) return 'nothing';
  return redisLoad > serverLoad ? 'Redis' : 'the servers';
}

function percent(load: number): string {
  return `${(load * 100).toFixed(0)} %`;
}

const INTRODUCTION = `# Capacity

How far it goes, and what breaks first: points measured on one machine, lines through them, and what the lines say of a
million connections. Written by \`npm run bench:capacity\`; run it on your machine, and put your own load in. A prediction is
not a measurement: nothing here was run with a million connections, and a network, TLS and your handlers cost more.
`;

const MODEL = `## The model

- **A server** pays for each of its connections one heartbeat per \`heartbeatMs\`, for each event for everybody the line above
  over its connections, and for the pushes that it publishes and receives; they are taken to be spread evenly.
- **Redis** pays for each push once, for each event for everybody the line over the servers, and for the signs of life of
  each server. It uses one processor, whatever the machine has.
- **Patterns** cost memory only: finding the subscribers of an event takes as long with 100 000 distinct patterns as with ten,
  see [benchmarks](benchmarks.md).
- **Memory** is that of the process, of the kernel for each connection, and in Redis of each account that is online. The heap of
  Node is bounded by default; set \`--max-old-space-size\` above what the table says.
- Above 60 % of a processor something counts as full: what is left is for the moment in which a server fails, and its clients
  come to the others.

## One million connections
`;

const REMEDIES = `
## What breaks first, and what to do then

- **The event loop of the servers**, when there are many events for everybody: a delivery is a write to a socket, and most of it
  is the kernel's. Publish several events in one turn of the event loop, which leave in one write (eight cost little more than
  one); publish to rooms or accounts what not everybody needs; use more servers.
- **The time of Redis**, when there are many pushes to accounts: publish those of one turn together, ask for no result where
  nobody reads it (\`receipt: false\`), and use a Redis Cluster, over which the accounts are spread evenly.
- **The memory of Redis and the number of its subscriptions**, with millions of accounts that are online: each has a channel and
  an entry. A Redis Cluster divides both.
- **The memory of the kernel and the files of the process**, with more than about 50 000 connections of one server: raise
  \`nofile\`, and look at \`net.ipv4.tcp_mem\`.
- **Everybody at once**: after a restart connections cost more than anything else, see connecting in
  [benchmarks](benchmarks.md). \`upgradesPerSecond\` bounds it, \`reconnectSpreadMs\` spreads it.
`;
