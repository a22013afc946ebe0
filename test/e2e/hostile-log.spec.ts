import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { OnLoopEvent } from '../../lib/index.js';
import { keepLog } from '../support/kept-log.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, rawFrame, RawPeer } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

const LEVELS = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;
const EVIL = 'x\r\nFORGED \u001b[31m\u0000';
const SECRET = 'sEcReT';

let logged: string[];

beforeEach(() => {
  logged = keepLog(...LEVELS);
});

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

@Injectable()
class Failing {
  @OnLoopEvent('chat:fail')
  fail(): never {
    throw new Error('It is broken.');
  }
}

/** The log begins when it has started. */
async function start(accountId = 'acme') {
  const app = await startLoopApp({
    providers: [Failing],
    options: {
      authenticate: ({ query }) => {
        if (query.has('fails')) throw new Error('It is down.');
        return { accountId: query.has('evil') ? accountId : 'acme' };
      },
    },
  });
  logged.length = 0;
  return app;
}

/** That something was logged, in lines that are ours. */
function expectHarmlessLog(): void {
  expect(logged).not.toEqual([]);
  const lines = logged.join('\n').split('\n');
  expect(lines.filter((line) => line.startsWith('FORGED'))).toEqual([]);
  expect(lines.filter((line) => line.length > 1_000)).toEqual([]);
  // oxlint-disable-next-line no-control-regex
  expect(lines.join('')).not.toMatch(/[\u0000-\u001f]/);
  expect(lines.join('')).not.toContain(SECRET);
}

describe('the log', () => {
  it.each([
    ['with control characters', EVIL],
    ['of ten kilobytes', 'x'.repeat(10_000)],
  ])('is told of an identity %s, in a short line of its own', async (_what, accountId) => {
    const { port } = await start(accountId);
    const { answer } = await RawPeer.upgrade(port, { path: '/ws?evil', token: SECRET });
    expect(answer.status).toBe(401);
    expectHarmlessLog();
  });

  it('is told that authenticate fails, and no token', async () => {
    const { port } = await start();
    const path = `/ws?fails&token=${SECRET}`;
    expect((await RawPeer.upgrade(port, { path, token: SECRET })).answer.status).toBe(401);
    expectHarmlessLog();
  });

  it('is told that a handler fails, and nothing that a client wrote', async () => {
    const app = await start();
    const peer = await RawPeer.open(app.port, { token: SECRET });
    const data = [EVIL, SECRET, 'x'.repeat(10_000)];
    peer.sendText({ op: EVIL, id: 1 });
    peer.sendText({ event: EVIL, data, id: 2 });
    peer.sendText({ op: 'subscribe', patterns: [EVIL], id: 3 });
    peer.sendText({ op: 'auth', token: SECRET, id: 4 });
    peer.sendText({ event: 'chat:fail', data, id: 5 });
    await peer.next('the last answer', (frame) => 'id' in frame && frame.id === 5);
    expectHarmlessLog();
  });

  it('is not told the reason of a close', async () => {
    const app = await start();
    const peer = await RawPeer.open(app.port);
    peer.sendText({ event: 'chat:fail' });
    await peer.next('the error', ({ op }) => op === 'error');
    const code = Buffer.from([0x0f, 0xa0]); // 4000
    const reason = Buffer.from(`${EVIL}${SECRET}`);
    peer.send(rawFrame(Buffer.concat([code, reason]), { opcode: Opcode.Close }));
    expect(await peer.closeCode()).toBe(4000);
    expect(await isServing(app)).toBe(true);
    expectHarmlessLog();
  });
});
