import type { LoopTransport } from '../../lib/index.js';
import {
  type ContractCase,
  MemoryCluster,
  presenceStoreContract,
  transportContract,
} from '../../lib/testing/index.js';

const TWO_SERVERS = 'never delivers on the server that publishes';

/** Transports in memory that count those that run. */
class CountedCluster {
  readonly running = new Set<LoopTransport>();
  private readonly cluster = new MemoryCluster();

  constructor(private readonly changes: Partial<LoopTransport> = {}) {}

  create(): LoopTransport {
    const inner = this.cluster.transport();
    return {
      get isLive() {
        return inner.isLive;
      },
      start: async (server) => {
        await inner.start(server);
        this.running.add(inner);
      },
      attach: (topics) => inner.attach(topics),
      detach: (topics) => inner.detach(topics),
      publish: (...call) => inner.publish(...call),
      close: async () => {
        if (!this.running.delete(inner)) throw new Error('It does not run.');
        await inner.close();
      },
      ...this.changes,
    };
  }

  /** Runs a case of two servers. */
  run(create = (): LoopTransport => this.create()): Promise<void> {
    return caseOf(transportContract({ create, withinMs: 200 }), TWO_SERVERS).run();
  }
}

const caseOf = (cases: readonly ContractCase[], wanted: string): ContractCase =>
  cases.find(({ name }) => name === wanted)!;

describe('the cases of a contract', () => {
  it('have names of their own, so that a test runner can tell them apart', () => {
    const create = (): never => {
      throw new Error('not needed');
    };
    for (const cases of [transportContract({ create }), presenceStoreContract({ create })]) {
      const names = cases.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('close every server that they started once, whether they pass or fail', async () => {
    const sound = new CountedCluster();
    await sound.run();
    const broken = new CountedCluster({ attach: () => Promise.reject(new Error('out of reach')) });
    await expect(broken.run()).rejects.toThrow('out of reach');
    expect([sound.running.size, broken.running.size]).toEqual([0, 0]);
  });

  it('close the server that started when another one did not', async () => {
    const cluster = new CountedCluster();
    let made = 0;
    const running = cluster.run(() => {
      if (made++ === 0) throw new Error('no more servers');
      return cluster.create();
    });
    await expect(running).rejects.toThrow('no more servers');
    expect([made, cluster.running.size]).toEqual([2, 0]);
  });

  it('say what is asked and what was seen', async () => {
    const lossy = new CountedCluster({ publish: async () => ({ expected: 3, replies: [] }) });
    await expect(lossy.run()).rejects.toThrow(
      [
        'publish counts every other server that is attached, 1 here, and has their replies',
        'Wanted: {"expected":1,"replies":[{"delivered":1,"filtered":0,"failed":0}]}',
        'Seen:   {"expected":3,"replies":[]}',
      ].join('\n'),
    );
  });

  it('do not wait for ever for what never settles', async () => {
    const stuck = new CountedCluster({ attach: () => new Promise(() => {}) });
    await expect(stuck.run()).rejects.toThrow('attach: it did not settle within 200 ms');
    expect(stuck.running.size).toBe(0);
  });
});
