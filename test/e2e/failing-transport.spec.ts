import { LoopTransportError, type TransportReceipt } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { NullTransport } from '../support/null-transport.js';

afterEach(closeLoopApps);

describe('a transport that fails', () => {
  class Rejecting extends NullTransport {
    override async publish(): Promise<TransportReceipt> {
      throw new Error('away');
    }
  }
  class Full extends NullTransport {
    override async publish(): Promise<TransportReceipt> {
      throw new LoopTransportError('backpressure', 'Too much is waiting.');
    }
  }
  class Silent extends NullTransport {
    override publish(): Promise<TransportReceipt> {
      return new Promise(() => {});
    }
  }
  class Partial extends NullTransport {
    override async publish(): Promise<TransportReceipt> {
      return { expected: 2, replies: [{ delivered: 1, filtered: 0, failed: 0 }] };
    }
  }

  it.each([
    ['rejects', new Rejecting(), 'failed'],
    ['has no room', new Full(), 'backpressure'],
    ['never settles', new Silent(), 'timeout'],
  ])(
    'P5, P6: when it %s, local pushes arrive and remote results are unknown',
    async (_what, transport, why) => {
      const { bus, client } = await startLoopApp({
        options: { transport, config: { receiptTimeoutMs: 20 } },
      });
      const one = await client('acme', { connectionId: 'phone' });
      expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
      const report = bus.pushToAccount('acme', 'chat:n', 2);
      expect(await one.next('chat:n')).toBe(1);
      expect(await one.next('chat:n')).toBe(2);
      expect(await report).toMatchObject({ delivered: 1, complete: false, why });
      expect(await bus.pushToConnection('acme', 'elsewhere', 'chat:n', 3)).toBe('unknown');
      const asked = bus.ask('acme', 'elsewhere', 'chat:n', 1, { timeoutMs: 20 });
      await expect(asked).rejects.toMatchObject({
        reason: 'unknown',
        message: expect.stringContaining('It is unknown whether acme/elsewhere was asked'),
      });
      expect(await bus.disconnect('acme')).toEqual({ closed: 1, complete: false, why });
    },
  );

  it('P5: when a server does not answer, the counts are what is proven and the report is not complete', async () => {
    const { bus } = await startLoopApp({ options: { transport: new Partial() } });
    expect(await bus.pushToAccount('acme', 'chat:n', 1)).toEqual({
      delivered: 1,
      filtered: 0,
      failed: 0,
      servers: { expected: 3, answered: 2 },
      complete: false,
      why: 'unanswered',
    });
  });
});
