import { constants, deflateRawSync } from 'node:zlib';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, rawFrame, RawPeer } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
});

describe('P6: compression, where it is switched on,', () => {
  function deflated(text: string): Buffer {
    return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  }

  const COMPRESSED = {
    headers: {
      'Sec-WebSocket-Extensions':
        'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
    },
  };

  it('ends a bomb with 1009 before it unfolds', async () => {
    const app = await startLoopApp({ options: { config: { compression: true } } });
    const peer = await RawPeer.open(app.port, COMPRESSED);
    expect(peer.answer.headers.get('sec-websocket-extensions')).toContain('permessage-deflate');
    const bomb = deflated(`"${'x'.repeat(50_000_000)}"`);
    expect(bomb.length).toBeLessThan(65_536);
    peer.send(rawFrame(bomb, { reservedBits: 0x40 }));
    expect(await peer.closeCode()).toBe(1009);
    expect(await isServing(app)).toBe(true);
  });

  it('ends what is no deflate stream with 1007, and serves who speaks properly', async () => {
    const app = await startLoopApp({ options: { config: { compression: true } } });
    const [liar, honest] = [
      await RawPeer.open(app.port, COMPRESSED),
      await RawPeer.open(app.port, COMPRESSED),
    ];
    liar.send(rawFrame('not deflate', { reservedBits: 0x40 }));
    expect(await liar.closeCode()).toBe(1007);
    honest.send(rawFrame(deflated('{"op":"ping","id":1}'), { reservedBits: 0x40 }));
    await honest.next('a pong', ({ op }) => op === 'pong');
    expect(await isServing(app)).toBe(true);
  });

  it('loses no order and no frame when a slow reader catches up', async () => {
    const app = await startLoopApp({
      options: { config: { compression: true, maxQueueBytes: 50_000_000 } },
    });
    const client = await app.client('acme'); // the ws package compresses by default
    const count = 200;
    const noise = () =>
      Buffer.from(Array.from({ length: 20_000 }, () => 33 + Math.random() * 90)).toString();
    const pushes = Array.from({ length: count }, (_, n) =>
      app.bus.pushToAccount('acme', 'chat:n', { n, noise: noise() }),
    );
    for (let n = 0; n < count; n++) expect(await client.next('chat:n')).toMatchObject({ n });
    expect((await Promise.all(pushes)).every(({ delivered }) => delivered === 1)).toBe(true);
  });
});
