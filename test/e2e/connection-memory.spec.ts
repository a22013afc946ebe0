import { type ChildProcess, spawn } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConnectionRegistry } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';

/** More than a connection takes, so that only what is several hundred bytes too much fails. */
const MOST_BYTES = 6_144;

const FIRST = 200;
const MORE = 1_000;

/** Clients are a process of their own, for each takes memory as well. They read, and answer nothing. */
const CLIENTS = `
  const { connect } = require('node:net');
  const [port, from, count] = process.argv.slice(1).map(Number);
  for (let n = from; n < from + count; n++) {
    const socket = connect(port, '127.0.0.1').resume();
    socket.write('GET /ws HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n' +
      'Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n' +
      'Authorization: Bearer account' + n + '\\r\\n\\r\\n');
  }
`;

const clients: ChildProcess[] = [];

afterEach(async () => {
  for (const child of clients.splice(0)) child.kill();
  await closeLoopApps();
});

async function open({ port, get }: LoopApp, from: number, count: number): Promise<void> {
  const numbers = [port, from, count].map(String);
  clients.push(spawn(process.execPath, ['-e', CLIENTS, ...numbers], { stdio: 'inherit' }));
  await eventually(
    `${count} more connections`,
    () => get(ConnectionRegistry).size === from + count,
    30_000,
  );
}

/** After everything that can be collected was. */
async function bytesInUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it('an idle connection takes few kilobytes, the part of Node and of the library included', async () => {
  const subscriptions = ['billing:*', 'chat:a', 'chat:b', 'chat:c', 'chat:d'];
  const config = { upgradesPerSecond: 1e6, upgradeBurst: 1e6 };
  const server = await startLoopApp({
    options: { defaultSubscriptions: subscriptions, config },
  });
  await open(server, 0, FIRST);
  const before = await bytesInUse();
  await open(server, FIRST, MORE);
  const each = ((await bytesInUse()) - before) / MORE;
  expect(each).toBeLessThan(MOST_BYTES);
}, 60_000);
