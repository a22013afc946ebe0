import { jest } from '@jest/globals';
import {
  ConnectionRegistry,
  type LoopConnection,
  type LoopRequest,
  OnLoopEvent,
  OnLoopUnsubscribe,
} from '../../lib/index.js';
import { deferred } from '../support/eventually.js';
import { keepLog } from '../support/kept-log.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, RawPeer } from '../support/raw-peer.js';
import { authenticate, authorize } from '../support/scoped-tokens.js';
import { isServing } from '../support/still-serving.js';

let logged: string[];

beforeEach(() => {
  logged = keepLog('warn', 'error');
});

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

describe('credentials refreshed in place', () => {
  it('for another account are refused, and the old ones stay', async () => {
    const app = await startLoopApp({ options: { authenticate, authorize } });
    const client = await app.client('acme.mine');
    expect(await client.ask({ op: 'auth', token: 'evil.all' })).toMatchObject({
      code: 'forbidden',
    });
    const [connection] = app.get(ConnectionRegistry);
    expect(connection).toMatchObject({ accountId: 'acme', claims: { scope: ['chat:a'] } });
    expect(await client.subscribe('billing:*')).toMatchObject({ granted: [] });
  });

  it('for a narrower scope end what is now forbidden before they are confirmed', async () => {
    const app = await startLoopApp({ options: { authenticate, authorize } });
    const client = await app.client('acme');
    await client.subscribe('chat:a', 'billing:b');
    const answer = await client.ask({ op: 'auth', token: 'acme.mine' });
    expect(answer).toMatchObject({ op: 'ok', removed: ['*:*', 'billing:b'] });
    expect(await app.bus.pushToAccount('acme', 'billing:b', 1)).toMatchObject({ filtered: 1 });
    expect(await app.bus.pushToAccount('acme', 'chat:a', 1)).toMatchObject({ delivered: 1 });
  });

  it.each<[string, string, string]>([
    ['are no credentials', '.all', 'unauthorized'],
    ['have expired', 'expired', 'unauthorized'],
    ['make authenticate throw', 'throw', 'unauthorized'],
    ['cannot be checked in time', 'hang', 'unavailable'],
  ])(
    'that %s are refused, say nothing more, and the connection lives',
    async (_what, token, code) => {
      const moody = (request: LoopRequest) => {
        if (request.token === 'throw') throw new Error('The issuer said boom.');
        if (request.token === 'hang') return new Promise<null>(() => {});
        if (request.token === 'expired') return { accountId: 'acme', expiresAt: Date.now() - 1 };
        return authenticate(request);
      };
      const options = { authenticate: moody, config: { authenticateTimeoutMs: 50 } };
      const app = await startLoopApp({ options });
      const client = await app.client('acme');
      const answer = await client.ask({ op: 'auth', token });
      expect(answer).toMatchObject({ op: 'error', code });
      expect(JSON.stringify([answer, logged])).not.toContain(`"${token}"`);
      expect(JSON.stringify(answer)).not.toContain('boom');
      expect(await app.bus.pushToAccount('acme', 'chat:a', 1)).toMatchObject({ delivered: 1 });
    },
  );

  it('P5: that were answered with timeout are not taken later', async () => {
    const checked = deferred();
    const options = {
      authorize,
      authenticate: async (request: LoopRequest) => {
        if (request.token === 'acme.mine') await checked.promise;
        return authenticate(request);
      },
      config: { handlerTimeoutMs: 50 },
    };
    const app = await startLoopApp({ options });
    const client = await app.client('acme');
    const answer = await client.ask({ op: 'auth', token: 'acme.mine' });
    expect(answer).toMatchObject({ op: 'error', code: 'timeout' });
    checked.resolve();
    await client.ask({ op: 'ping' });
    const [connection] = app.get(ConnectionRegistry);
    expect(connection).toMatchObject({ claims: { scope: ['*:*'] } });
    expect(await app.bus.pushToAccount('acme', 'billing:b', 1)).toMatchObject({ delivered: 1 });
  });

  /** `chat:b` cannot be decided while the directory is away. */
  const directory = {
    isAway: false,
    authorize(connection: LoopConnection, pattern: string): boolean {
      if (pattern === 'chat:b' && directory.isAway) throw new Error('The directory is away.');
      return authorize(connection, pattern);
    },
  };

  afterEach(() => {
    directory.isAway = false;
  });

  it('P3: change nothing when authorize cannot decide what they allow', async () => {
    const app = await startLoopApp({
      options: { authenticate, authorize: directory.authorize },
    });
    const client = await app.client('acme');
    await client.subscribe('chat:b');
    directory.isAway = true;
    const answer = await client.ask({ op: 'auth', token: 'acme.mine' });
    expect(answer).toMatchObject({ op: 'error', code: 'unavailable' });
    const [connection] = app.get(ConnectionRegistry);
    expect([...connection!.subscriptions]).toEqual(['*:*', 'chat:b']);
    expect(connection!.claims).toEqual({ scope: ['*:*'] });
    directory.isAway = false;
    const later = await client.ask({ op: 'auth', token: 'acme.mine' });
    expect(later).toMatchObject({ op: 'ok', removed: ['*:*', 'chat:b'] });
  });

  it('do not outlive the former ones when authorize cannot decide what they allow', async () => {
    const leftMs = { acme: 1_500, 'acme.mine': 60_000 };
    const app = await startLoopApp({
      options: {
        authenticate: (request: LoopRequest) => {
          const identity = authenticate(request)!;
          return { ...identity, expiresAt: Date.now() + leftMs[request.token as 'acme'] };
        },
        authorize: directory.authorize,
      },
    });
    const client = await app.client('acme');
    await client.subscribe('chat:b');
    directory.isAway = true;
    const answer = await client.ask({ op: 'auth', token: 'acme.mine' });
    expect(answer).toMatchObject({ op: 'error', code: 'unavailable' });
    expect(await client.closed).toMatchObject({ code: 4501 });
  });

  it('P3: that were taken, but not reviewed in time, end the connection, and no pattern before it', async () => {
    const removed: string[] = [];
    class Watch {
      @OnLoopUnsubscribe()
      unsubscribed(_connection: LoopConnection, patterns: readonly string[]): void {
        removed.push(...patterns);
      }
    }
    const asked = deferred();
    const reviewed = deferred();
    const options = {
      authenticate,
      authorize: async (connection: LoopConnection, pattern: string) => {
        if (authorize(connection, pattern)) return true;
        asked.resolve();
        await reviewed.promise;
        return false;
      },
      config: { handlerTimeoutMs: 50 },
    };
    const app = await startLoopApp({ options, providers: [Watch] });
    const client = await app.client('acme');
    const [connection] = app.get(ConnectionRegistry);
    client.send({ op: 'auth', token: 'acme.mine' });
    await asked.promise;
    expect(await client.closed).toMatchObject({ code: 1013 });
    reviewed.resolve();
    expect(await isServing(app)).toBe(true);
    expect([[...connection!.subscriptions], removed]).toEqual([['*:*'], []]);
  });

  it('put off the end, and bring it nearer', async () => {
    const brief = ({ token = '' }: LoopRequest) => ({
      accountId: 'acme',
      expiresAt: Date.now() + Number(token),
    });
    const app = await startLoopApp({ options: { authenticate: brief } });
    const client = await app.client('2000');
    const notRefreshed = await app.client('2000');
    expect(await client.ask({ op: 'auth', token: '60000' })).toMatchObject({ op: 'ok' });
    expect((await notRefreshed.closed).code).toBe(4501); // the first end of the other was before it
    expect(await client.ask({ op: 'auth', token: '30' })).toMatchObject({ op: 'ok' });
    expect((await client.closed).code).toBe(4501);
  });
});

describe('credentials that expire', () => {
  it('close with 4501, and nothing is delivered or handled after', async () => {
    const seen: unknown[] = [];
    class Listener {
      @OnLoopEvent('chat:say')
      say(data: unknown): void {
        seen.push(data);
      }
    }
    const brief = ({ token }: { token: string | undefined }) => ({
      accountId: token!,
      ...(token === 'brief' ? { expiresAt: Date.now() + 1_500 } : {}),
    });
    const app = await startLoopApp({ options: { authenticate: brief }, providers: [Listener] });
    const peer = await RawPeer.open(app.port, { token: 'brief' });
    expect(peer.texts[0]).toMatchObject({ expiresInMs: expect.any(Number) });
    expect(await peer.closeCode()).toBe(4501);
    peer.sendText({ event: 'chat:say', data: 'late' });
    expect((await app.bus.pushToAccount('brief', 'chat:n', 1)).delivered).toBe(0);
    expect(await isServing(app)).toBe(true);
    expect(seen).toEqual([]);
    expect(peer.frames.at(-1)!.opcode).toBe(Opcode.Close);
  });
});
