import { OnLoopEvent } from '../../lib/index.js';
import type { LoopApp } from './loop-app.js';
import type { RawPeer } from './raw-peer.js';

/** Replies with what it was sent. */
export class Echo {
  @OnLoopEvent('chat:say')
  say(data: unknown): unknown {
    return data;
  }
}

/** Both the peer that misbehaved and another one are served as before, by a server that echoes `chat:say`. */
export async function expectUndisturbed(
  app: LoopApp,
  peer: RawPeer,
  other: RawPeer,
): Promise<void> {
  for (const one of [peer, other]) {
    one.sendText({ event: 'chat:say', data: 'still here', id: 'last' });
    const answer = await one.next('a reply', (frame) => 'id' in frame && frame.id === 'last');
    expect(answer).toEqual({ op: 'reply', id: 'last', data: 'still here' });
  }
  expect((await app.bus.pushToChannel('chat:n', 1)).delivered).toBe(2);
  await other.next('the push', (frame) => frame.op === undefined);
  expect(other.texts.some(({ op }) => op === 'error')).toBe(false);
}
