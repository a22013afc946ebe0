import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import type { TransportServer } from '../../../lib/transport/loop-transport.js';
import { StartedTransport } from '../../../lib/transport/started-transport.js';
import type { Topic } from '../../../lib/transport/topic.js';
import { SampledLogger } from '../../../lib/util/sampled-logger.js';
import { deferred } from '../../support/eventually.js';
import { NullTransport } from '../../support/null-transport.js';

/** Starts when a test lets it, and writes down what reaches it. */
class Slow extends NullTransport {
  readonly calls: string[] = [];
  readonly going = deferred();

  override async start(): Promise<void> {
    this.calls.push('start');
    await this.going.promise;
    this.calls.push('started');
  }
  override async attach(): Promise<void> {
    this.calls.push('attach');
  }
  override detach(): void {
    this.calls.push('detach');
  }
  override async close(): Promise<void> {
    this.calls.push('close');
  }
}

class Broken extends Slow {
  override async start(): Promise<void> {
    throw new Error('no Redis');
  }
}

const SERVER: TransportServer = {
  serverId: 'server-1',
  receive: () => {
    throw new Error('nobody publishes');
  },
  mayHaveMissed: () => {},
};
const LOBBY: Topic[] = [{ kind: 'room', name: 'lobby' }];

describe('a transport that cannot start', () => {
  it('P5: tells those who wait for the start', async () => {
    const broken = new Broken();
    const transport = new StartedTransport(broken, new SampledLogger(resolveConfig({})));
    const attaching = transport.attach(LOBBY);
    transport.detach(LOBBY);

    await Promise.all([
      expect(attaching).rejects.toThrow('could not start'),
      expect(transport.start(SERVER)).rejects.toThrow('no Redis'),
    ]);
    await expect(transport.attach(LOBBY)).rejects.toThrow('could not start');
    expect(broken.calls).toEqual([]);
  });
});

describe('a transport that is closed before it has started', () => {
  let slow: Slow;
  let transport: StartedTransport;
  beforeEach(() => {
    slow = new Slow();
    transport = new StartedTransport(slow, new SampledLogger(resolveConfig({})));
  });

  it('stays closed, though its start was under way, and leaves nothing open', async () => {
    const starting = transport.start(SERVER);
    const closing = transport.close();
    slow.going.resolve();
    await Promise.all([starting, closing]);
    expect(slow.calls).toEqual(['start', 'started', 'close']);
    expect(transport.isLive).toBe(false);
    await expect(transport.attach(LOBBY)).rejects.toThrow('was closed');
  });

  it('says that it was closed when its start fails because of that, and closes once', async () => {
    class Aborted extends Slow {
      override async start(): Promise<void> {
        await super.start();
        throw new Error('aborted');
      }
    }
    slow = new Aborted();
    transport = new StartedTransport(slow, new SampledLogger(resolveConfig({})));
    const starting = transport.start(SERVER);
    const closing = transport.close();
    slow.going.resolve();
    await Promise.all([starting, closing, transport.close()]);

    expect(slow.calls).toEqual(['start', 'started', 'close']);
    await expect(transport.attach(LOBBY)).rejects.toThrow('was closed');
  });

  it('P5: tells those who wait for the start, and starts no more', async () => {
    const attaching = transport.attach(LOBBY);
    transport.detach(LOBBY);
    await Promise.all([expect(attaching).rejects.toThrow('was closed'), transport.close()]);
    await transport.start(SERVER);
    expect(slow.calls).toEqual(['close']);
  });
});
