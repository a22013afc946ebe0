import type { LoopTransport } from '../../lib/index.js';
import { type ContractHarness, MemoryCluster } from '../../lib/testing/index.js';

/** What a broken transport does in its own way; the rest is that of the cluster in memory. */
export type TransportChange = (
  inner: LoopTransport,
  all: readonly LoopTransport[],
) => Partial<LoopTransport>;

export function brokenTransport(change: TransportChange): ContractHarness<LoopTransport> {
  let cluster = new MemoryCluster();
  let all: LoopTransport[] = [];
  return {
    withinMs: 200,
    reset: () => {
      cluster = new MemoryCluster();
      all = [];
    },
    create: () => {
      const inner = cluster.transport();
      all.push(inner);
      return {
        get isLive() {
          return inner.isLive;
        },
        start: (server) => inner.start(server),
        attach: (topics) => inner.attach(topics),
        detach: (topics) => inner.detach(topics),
        publish: (...call) => inner.publish(...call),
        close: () => inner.close(),
        ...change(inner, all),
      };
    },
  };
}
