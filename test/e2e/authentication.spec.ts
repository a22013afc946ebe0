import { once } from 'node:events';
import { jest } from '@jest/globals';
import { ConflictException, ForbiddenException, Logger } from '@nestjs/common';
import { ConnectionRegistry, type LoopRequest, OnLoopConnect } from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, RawPeer, refusal, upgradeRequest } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

describe('authentication', () => {
  const NO_TOKEN = { headers: { Authorization: undefined } };

  it('that fails is a 401 before the 101: no connection, no hook', async () => {
    let hooked = 0;
    class Hook {
      @OnLoopConnect()
      count(): void {
        hooked++;
      }
    }
    const app = await startLoopApp({ providers: [Hook] });
    expect((await refusal(app, NO_TOKEN)).status).toBe(401);
    expect((await refusal(app, { headers: { Authorization: 'Basic YTpi' } })).status).toBe(401);
    expect([hooked, app.get(ConnectionRegistry).size]).toEqual([0, 0]);
    expect(await isServing(app)).toBe(true);
  });

  it('takes the token of the header or of the second subprotocol, which is never echoed', async () => {
    const app = await startLoopApp();
    await RawPeer.open(app.port, { token: 'by-header' });
    const peer = await RawPeer.open(app.port, {
      headers: {
        Authorization: undefined,
        'Sec-WebSocket-Protocol': 'loopws.v1, bearer.by-subprotocol',
      },
    });
    expect(peer.answer.headers.get('sec-websocket-protocol')).toBe('loopws.v1');
    expect([...peer.answer.headers.values()].join()).not.toContain('by-subprotocol');
    const alone = await RawPeer.open(app.port, {
      headers: { Authorization: undefined, 'Sec-WebSocket-Protocol': 'bearer.alone' },
    });
    expect(alone.answer.headers.has('sec-websocket-protocol')).toBe(false);
    const accounts = [...app.get(ConnectionRegistry)].map(({ accountId }) => accountId);
    expect(accounts).toEqual(['by-header', 'by-subprotocol', 'alone']);
  });

  it('never brings a token into the log or the answer, whatever fails', async () => {
    const logged: unknown[] = [];
    for (const level of ['log', 'warn', 'error', 'debug', 'verbose'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((...line) => void logged.push(line));
    }
    const authenticate = ({ token }: LoopRequest) => {
      if (token === 'newcomer') return { accountId: 'newcomer' };
      throw new Error('The issuer is unreachable.');
    };
    const app = await startLoopApp({ options: { authenticate } });
    const byHeader = await refusal(app, { token: 'sEcReT' });
    const bySubprotocol = await refusal(app, {
      headers: { Authorization: undefined, 'Sec-WebSocket-Protocol': 'loopws.v1, bearer.sEcReT' },
    });
    const answers = [byHeader, bySubprotocol].map(({ headers, ...rest }) => [rest, ...headers]);
    expect(JSON.stringify([answers, logged])).not.toContain('sEcReT');
    expect(JSON.stringify(answers)).not.toContain('issuer');
    expect(await isServing(app)).toBe(true);
  });

  it.each<[string, () => unknown, number]>([
    ['throws', () => raise(new Error('boom')), 401],
    ['rejects', () => Promise.reject(new Error('boom')), 401],
    ['rejects with nothing', () => Promise.reject(), 401], // oxlint-disable-line promise/no-return-wrap
    ['throws an HttpException', () => raise(new ForbiddenException('Not you.')), 403],
    ['throws another HttpException', () => raise(new ConflictException()), 409],
    ['returns null', () => null, 401],
    ['returns what is no identity', () => 'acme', 401],
    ['returns an account that is a number', () => ({ accountId: 42 }), 401],
    ['returns an account with a line break', () => ({ accountId: 'a\r\nb' }), 401],
    ['returns an account of 10 KB', () => ({ accountId: 'a'.repeat(10_000) }), 401],
    ['returns half a surrogate pair', () => ({ accountId: '\ud800' }), 401],
    ['returns an expiry that is no time', () => ({ accountId: 'a', expiresAt: NaN }), 401],
    [
      'returns credentials that have expired',
      () => ({ accountId: 'a', expiresAt: Date.now() - 1 }),
      401,
    ],
  ])('that %s refuses this peer alone', async (_what, outcome, status) => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const authenticate = ({ token }: LoopRequest) =>
      token === 'newcomer' ? { accountId: token } : (outcome() as null);
    const app = await startLoopApp({ options: { authenticate } });
    const answer = await refusal(app);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('boom');
    expect(await isServing(app)).toBe(true);
  });

  it('P6: that hangs is a 503 with Retry-After at its deadline, and delays nobody else', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const authenticate = ({ token }: LoopRequest) =>
      token === 'newcomer' ? { accountId: token } : new Promise<null>(() => {});
    const options = { authenticate, config: { authenticateTimeoutMs: 100 } };
    const app = await startLoopApp({ options });
    const hanging = refusal(app);
    expect(await isServing(app)).toBe(true);
    const { status, headers } = await hanging;
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('P6: of more peers at once than maxPendingUpgrades is a 503 for those above it', async () => {
    const gate = deferred();
    let asked = 0;
    const authenticate = async ({ token }: LoopRequest) => {
      asked++;
      await gate.promise;
      return { accountId: token! };
    };
    const config = { maxPendingUpgrades: 2 };
    const app = await startLoopApp({ options: { authenticate, config } });
    const pending = [RawPeer.upgrade(app.port), RawPeer.upgrade(app.port)];
    await eventually('two that wait', () => asked === 2);
    expect((await refusal(app)).status).toBe(503);
    gate.resolve();
    expect((await Promise.all(pending)).map(({ answer }) => answer.status)).toEqual([101, 101]);
    expect(asked).toBe(2);
    expect(await isServing(app)).toBe(true);
  });

  it('of a peer that resets while it is pending ends nothing', async () => {
    const asked = deferred();
    const gate = deferred();
    const authenticate = async ({ token }: LoopRequest) => {
      if (token === 'newcomer') return { accountId: token };
      asked.resolve();
      await gate.promise;
      return { accountId: 'gone' };
    };
    const app = await startLoopApp({ options: { authenticate } });
    const peer = await RawPeer.dial(app.port);
    peer.send(upgradeRequest(app.port));
    await asked.promise;
    peer.socket.resetAndDestroy();
    await once(peer.socket, 'close');
    gate.resolve();
    expect(await isServing(app)).toBe(true);
    await eventually('the newcomer is gone', () => app.get(ConnectionRegistry).size === 0);
  });
});

function raise(error: unknown): never {
  throw error;
}
