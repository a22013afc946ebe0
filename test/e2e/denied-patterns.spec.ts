import { ConnectionRegistry } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, RawPeer } from '../support/raw-peer.js';
import { Echo, expectUndisturbed } from '../support/undisturbed.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
});

describe('patterns that are not granted', () => {
  it.each<[string, string]>([
    ['billing', 'bad_pattern'],
    ['', 'bad_pattern'],
    ['*', 'bad_pattern'],
    ['**:*', 'bad_pattern'],
    ['billing:**', 'bad_pattern'],
    ['billing:*.paid', 'bad_pattern'],
    ['bill*:paid', 'bad_pattern'],
    ['billing:inv*', 'bad_pattern'],
    ['billing:.*', 'bad_pattern'],
    ['*:invoice.*', 'bad_pattern'],
    ['billing:a:b', 'bad_pattern'],
    ['billing:invoice.paid\n', 'bad_pattern'],
    ['billing:[a-z]', 'bad_pattern'],
    [`billing:${'*'.repeat(25)}`, 'bad_pattern'],
    [`billing:${'a.'.repeat(80)}*`, 'bad_pattern'],
    ['x'.repeat(20_000), 'bad_pattern'],
    ['crm:*', 'unknown_service'],
    ['__proto__:*', 'unknown_service'],
    ['constructor:toString', 'unknown_service'],
  ])(
    '%# are denied one by one with a code, and the good ones beside them granted',
    async (pattern, code) => {
      const app = await startLoopApp({ providers: [Echo] });
      const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
      peer.sendText({ op: 'subscribe', patterns: [pattern, 'chat:n'], id: 1 });
      const answer = await peer.next('the answer', ({ op }) => op === 'ok');
      expect(answer).toEqual({
        op: 'ok',
        id: 1,
        granted: ['chat:n'],
        denied: [{ pattern: pattern.slice(0, 128), code, message: expect.any(String) }],
      });
      await expectUndisturbed(app, peer, other);
    },
  );

  it('beyond maxSubscriptions are denied, also when they come frame by frame, and unsubscribing makes room', async () => {
    const app = await startLoopApp({ options: { config: { maxSubscriptions: 5 } } });
    const client = await app.client('acme'); // holds *:*
    for (let n = 0; n < 4; n++) {
      expect(await client.subscribe(`chat:e${n}`)).toMatchObject({ granted: [`chat:e${n}`] });
    }
    expect(await client.subscribe('chat:e4', 'chat:e0')).toMatchObject({
      granted: ['chat:e0'], // held already, so it takes no place
      denied: [{ pattern: 'chat:e4', code: 'too_many_subscriptions' }],
    });
    await client.unsubscribe('chat:e0');
    expect(await client.subscribe('chat:e4')).toMatchObject({ granted: ['chat:e4'], denied: [] });
    const [connection] = app.get(ConnectionRegistry);
    expect(connection!.subscriptions.size).toBe(5);
  });
});
