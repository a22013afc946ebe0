import { jest } from '@jest/globals';
import type { TransportServer } from '../../lib/index.js';
import { MemoryHistory } from '../../lib/transport/memory/memory-history.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { NullTransport } from '../support/null-transport.js';

afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
});

/** Stands for another server: the test says what arrives. */
class Arrivals extends NullTransport {
  server!: TransportServer;

  override async start(server: TransportServer): Promise<void> {
    this.server = server;
  }
}

describe('a push of another server', () => {
  it('P4: that arrives after its time is counted as failed and delivered to nobody', async () => {
    const transport = new Arrivals();
    const { client } = await startLoopApp({ options: { transport } });
    const phone = await client('acme', { connectionId: 'phone' });
    const push = (data: string, ttlMs: number) =>
      transport.server.receive({
        kind: 'push',
        target: { kind: 'account', accountId: 'acme' },
        name: 'chat:n',
        frame: JSON.stringify({ event: 'chat:n', data }),
        ttlMs,
      });
    expect(await push('late', 0)).toEqual({ delivered: 0, filtered: 0, failed: 1 });
    expect(await push('in time', 1_000)).toEqual({ delivered: 1, filtered: 0, failed: 0 });
    expect(await phone.next('chat:n')).toBe('in time');
  });
});

it('P4: the time of a push runs from its call, also while it waits for a durable one that was called before it', async () => {
  const services = { chat: { history: { size: 10, ttlMs: 60_000 } }, billing: {} };
  const { bus, client } = await startLoopApp({ options: { services } });
  const phone = await client('acme', { connectionId: 'phone' });
  jest.spyOn(MemoryHistory.prototype, 'append').mockReturnValue(new Promise(() => {}));
  const durable = bus.pushToAccount('acme', 'chat:n', 1);
  const late = bus.pushToAccount('acme', 'billing:late', 2, { ttlMs: 50 });
  const inTime = bus.pushToAccount('acme', 'billing:in-time', 3);
  expect(await late).toMatchObject({ delivered: 0, failed: 1 });
  expect(await inTime).toMatchObject({ delivered: 1, failed: 0 });
  expect(await phone.next('billing:in-time')).toBe(3);
  expect(phone.frames).not.toContainEqual(expect.objectContaining({ event: 'billing:late' }));
  expect(await durable).toMatchObject({ complete: false });
});
