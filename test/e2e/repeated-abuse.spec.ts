import { z } from 'zod';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';
import { cutRawPeers, RawPeer } from '../support/raw-peer.js';
import { Echo, expectUndisturbed } from '../support/undisturbed.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
});

function start(config: object, events: LoopAppOptions['events'] = {}): Promise<LoopApp> {
  return startLoopApp({
    providers: [Echo],
    options: {
      events,
      config,
      authenticate: ({ token }) => (token && token !== 'wrong' ? { accountId: token } : null),
    },
  });
}

describe('P6: repeated abuse', () => {
  it('by frames that break the protocol closes with 4500 after refusalsPerMinute, and disturbs nobody', async () => {
    const app = await start({ refusalsPerMinute: 5 });
    const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    for (let n = 0; n < 20; n++) peer.sendText('nonsense');
    expect(await peer.closeCode()).toBe(4500);
    expect(peer.texts.filter(({ op }) => op === 'error')).toHaveLength(6);
    const again = await RawPeer.open(app.port);
    await expectUndisturbed(app, again, other);
  });

  it('by credentials that are refused closes with 4500', async () => {
    const app = await start({ refusalsPerMinute: 3 });
    const client = await app.client();
    for (let n = 0; n < 4; n++) client.send({ op: 'auth', token: 'wrong' });
    expect((await client.closed).code).toBe(4500);
    const codes = client.frames.flatMap((frame) => ('code' in frame ? [frame.code] : []));
    expect(codes).toEqual(Array(4).fill('unauthorized'));
  });

  it('by too many frames is answered with rate_limited, then closed with 4429', async () => {
    const app = await start({ framesPerSecond: 1, frameBurst: 10, refusalsPerMinute: 5 });
    const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    for (let n = 0; n < 50; n++) peer.sendText({ op: 'ping', id: n });
    expect(await peer.closeCode()).toBe(4429);
    expect(peer.texts.filter(({ op }) => op === 'pong')).toHaveLength(10);
    const errors = peer.texts.filter(({ op }) => op === 'error');
    expect(errors).toHaveLength(6);
    expect(errors.every((error) => 'code' in error && error.code === 'rate_limited')).toBe(true);
    const again = await RawPeer.open(app.port);
    await expectUndisturbed(app, again, other);
  });

  it('does not mean errors of handlers: those may be as many as the rate allows', async () => {
    const app = await start({ refusalsPerMinute: 5 }, { 'chat:say': z.string() });
    const client = await app.client();
    for (let n = 0; n < 20; n++) {
      const answer = await client.request('chat:say', n);
      expect(answer).toMatchObject({ code: 'invalid_payload' });
    }
    expect(await client.request('chat:say', 'fine')).toMatchObject({ op: 'reply' });
  });
});
