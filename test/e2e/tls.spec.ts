import { readFileSync } from 'node:fs';
import { Test } from '@nestjs/testing';
import { WebSocket } from 'ws';
import { OnLoopEvent } from '../../lib/index.js';
import { Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, loopModule, track } from '../support/loop-app.js';

interface Frame {
  readonly event?: string;
  readonly data?: unknown;
  readonly op?: string;
}

/** Of every way in which a frame is written: as text, as bytes, and with letters beyond ASCII. */
const PAYLOADS = ['short', 'Bücher 😀', 'x'.repeat(1_000), 'y'.repeat(5_000), 'ü'.repeat(50_000)];

class Echo {
  @OnLoopEvent('chat:echo')
  echo(data: unknown): unknown {
    return data;
  }
}

let certificates: Certificates;
beforeAll(() => {
  certificates = new Certificates();
});
afterAll(() => certificates.remove());
afterEach(closeLoopApps);

async function startOverTls(): Promise<LoopApp> {
  const builder = Test.createTestingModule({ imports: [loopModule()], providers: [Echo] });
  const module = await builder.compile();
  const key = readFileSync(certificates.key);
  const cert = readFileSync(certificates.certificate);
  const app = module.createNestApplication({ httpsOptions: { key, cert } });
  await app.listen(0, '127.0.0.1');
  return track(app);
}

/** What comes from the server, in order. */
async function connect({ url }: LoopApp): Promise<{ socket: WebSocket; frames: Frame[] }> {
  const frames: Frame[] = [];
  const socket = new WebSocket(url.replace(/^ws:/, 'wss:'), ['loopws.v1', 'bearer.acme'], {
    ca: certificates.trusted,
  });
  socket.on('message', (text: Buffer) => frames.push(JSON.parse(text.toString()) as Frame));
  await eventually('the welcome', () => frames.some(({ op }) => op === 'welcome'));
  return { socket, frames };
}

describe('a server with a certificate of its own', () => {
  it('P1: pushes frames of every kind over TLS, alone and many in a turn, whole and in order', async () => {
    const app = await startOverTls();
    const { frames } = await connect(app);
    for (const payload of PAYLOADS) await app.bus.pushToAccount('acme', 'chat:alone', payload);
    for (const payload of PAYLOADS) void app.bus.pushToChannel('chat:together', payload);
    const received = (name: string): unknown[] =>
      frames.filter(({ event }) => event === name).map(({ data }) => data);
    await eventually('all', () => received('chat:together').length === PAYLOADS.length);
    expect(received('chat:alone')).toEqual(PAYLOADS);
    expect(received('chat:together')).toEqual(PAYLOADS);
  });

  it('answers over TLS', async () => {
    const { socket, frames } = await connect(await startOverTls());
    socket.send(JSON.stringify({ event: 'chat:echo', data: PAYLOADS.slice(0, 4), id: 1 }));
    await eventually('the reply', () => frames.at(-1)?.op === 'reply');
    expect(frames.at(-1)).toEqual({ op: 'reply', id: 1, data: PAYLOADS.slice(0, 4) });
  });
});
