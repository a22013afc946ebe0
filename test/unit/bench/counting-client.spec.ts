import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  CountingClient,
  type CountingListener,
  timeIn,
} from '../../../bench/clients/counting-client.js';
import { FORMATS } from '../../../bench/clients/wire-format.js';
import { eventually } from '../../support/eventually.js';

/** What a client of the benchmarks has told. */
class Told implements CountingListener {
  readonly events: number[] = [];
  readonly times: number[] = [];
  readonly problems: string[] = [];

  event(n: number, bytes: Buffer, at: number): void {
    this.events.push(n);
    this.times.push(timeIn(bytes, at));
  }

  broken(problem: string): void {
    this.problems.push(problem);
  }
}

const frameOf = (n: number, padding = 0): string =>
  `{"event":"feed:item.changed","data":{"n":"${String(n).padStart(8, '0')}","t":"00000000001500","pad":"${'x'.repeat(padding)}"}}`;

describe('a client of the benchmarks', () => {
  let server: WebSocketServer;
  let peer: WebSocket;
  let client: CountingClient;
  let told: Told;

  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    await once(server, 'listening');
    server.once('connection', (socket: WebSocket) => (peer = socket));
    told = new Told();
    const { port } = server.address() as AddressInfo;
    client = await CountingClient.open({ port, token: 'a', after: 3 }, FORMATS.json, told);
  });

  afterEach(() => {
    client.end();
    server.close();
  });

  const received = (count: number) =>
    eventually('the events have come', () => told.events.length === count);

  it('takes events that follow one another, whatever their length, with the time of each', async () => {
    const lengths = [0, 100, 60_000, 300_000, 0];
    for (const [at, padding] of lengths.entries()) peer.send(frameOf(4 + at, padding));
    await received(lengths.length);
    expect(told.events).toEqual([4, 5, 6, 7, 8]);
    expect(told.times).toEqual(lengths.map(() => 1.5));
    expect(told.problems).toEqual([]);
    expect(client.last).toBe(8);
  });

  it.each([
    ['is missing', [4, 6], 'Event 6 came after 4.'],
    ['comes twice', [4, 4], 'Event 4 came after 4.'],
    ['comes too early', [5, 4], 'Event 5 came after 3.'],
  ])('tells when an event %s', async (_what, numbers, problem) => {
    for (const n of numbers) peer.send(frameOf(n));
    await received(numbers.length);
    expect(told.problems).toContain(problem);
  });

  it('tells when the server ends its connection, unless it has stopped reading', async () => {
    peer.terminate();
    await eventually('it has told', () => told.problems.length > 0);
    expect(told.problems).toEqual(['The server closed a connection.']);
  });

  it('sends an event as often as wanted, in one write', async () => {
    const texts: string[] = [];
    peer.on('message', (data: Buffer) => texts.push(data.toString()));
    client.send('work:item.take', { text: 'é' }, 3);
    await eventually('they have come', () => texts.length === 3);
    expect(new Set(texts)).toEqual(new Set(['{"event":"work:item.take","data":{"text":"é"}}']));
  });
});
