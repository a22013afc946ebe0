import { type LoopConnection, OnLoopEvent } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

class Mirror {
  @OnLoopEvent('chat:whoami')
  whoami(_data: unknown, { accountId, connectionId }: LoopConnection): unknown {
    return { accountId, connectionId };
  }
}

describe('identity', () => {
  it('of a frame is that of its connection, whatever the frame claims', async () => {
    const app = await startLoopApp({ providers: [Mirror] });
    const client = await app.client('acme', { connectionId: 'phone' });
    const claims = { accountId: 'root', connectionId: 'root', sender: 'root' };
    const answer = await client.ask({ event: 'chat:whoami', data: claims, ...claims });
    expect(answer).toMatchObject({ data: { accountId: 'acme', connectionId: 'phone' } });
  });

  it('of an answer counts: another connection cannot answer a question that it was not asked', async () => {
    const app = await startLoopApp();
    const phone = await app.client('acme', { connectionId: 'phone' });
    const thief = await app.client('evil', { connectionId: 'phone' });
    const asking = app.bus.ask('acme', 'phone', 'device:status', 1, { timeoutMs: 2_000 });
    const question = await phone.nextFrame('the question', (frame) => 'ask' in frame);
    const { ask } = question as { ask: number };
    thief.send({ op: 'answer', ask, data: 'forged' });
    expect(await thief.nextFrame('an error', ({ op }) => op === 'error')).toMatchObject({
      code: 'unknown_ask',
    });
    phone.send({ op: 'answer', ask, data: 'genuine' });
    expect(await asking).toBe('genuine');
    phone.send({ op: 'answer', ask, data: 'twice' });
    expect(await phone.nextFrame('an error', ({ op }) => op === 'error')).toMatchObject({
      code: 'unknown_ask',
    });
  });
});
