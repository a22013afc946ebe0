import type { LoopTransport, TransportReceipt, TransportServer } from '../../lib/index.js';
import { type ContractHarness, MemoryCluster, transportContract } from '../../lib/testing/index.js';
import { expectBroken } from '../support/broken-contract.js';

/** What a broken transport does in its own way; the rest is that of the cluster in memory. */
type Change = (inner: LoopTransport, all: readonly LoopTransport[]) => Partial<LoopTransport>;

function broken(change: Change): ContractHarness<LoopTransport> {
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

const never = (): Promise<never> => new Promise(() => {});

function brokenReceipt(change: (receipt: TransportReceipt) => unknown): Change {
  return (inner) => ({
    publish: async (topic, message, options) =>
      (await change(await inner.publish(topic, message, options))) as TransportReceipt,
  });
}

function brokenPush(change: (push: { frame: string; ttlMs: number }) => object): Change {
  return (inner) => ({
    publish: (topic, message, options) => {
      const changed = message.kind === 'push' ? { ...message, ...change(message) } : message;
      return inner.publish(topic, changed, options);
    },
  });
}

const brokenNames = (nameOf: (kind: string, name: string) => string): Change => {
  return (inner) => {
    const mapped = (topic: { kind: string; name: string }) =>
      ({ kind: 'room', name: nameOf(topic.kind, topic.name) }) as const;
    return {
      attach: (topics) => inner.attach(topics.map(mapped)),
      detach: (topics) => inner.detach(topics.map(mapped)),
      publish: (topic, message, options) => inner.publish(mapped(topic), message, options),
    };
  };
};

const deliversToItself: Change = (inner) => {
  let own: TransportServer;
  return {
    start: (server) => {
      own = server;
      return inner.start(server);
    },
    publish: async (topic, message, options) => {
      await own.receive(message);
      return inner.publish(topic, message, options);
    },
  };
};

const takesOneByOne: Change = (inner) => ({
  start: (server) => {
    let last: Promise<unknown> = Promise.resolve();
    return inner.start({
      ...server,
      receive: (message) => {
        const reply = last.then(() => server.receive(message));
        last = reply;
        return reply;
      },
    });
  },
});

const mixesUpReplies: Change = (inner) => {
  const waiting: ((receipt: TransportReceipt) => void)[] = [];
  return {
    publish: (topic, message, options) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        void inner.publish(topic, message, options).then((receipt) => waiting.shift()?.(receipt));
      }),
  };
};

const losesTheOrder: Change = (inner) => {
  let count = 0;
  return {
    publish: async (...call) => {
      if (count++ % 7 === 0) await new Promise(setImmediate);
      return inner.publish(...call);
    },
  };
};

const DEFECTS: readonly (readonly [defect: string, named: string, change: Change])[] = [
  [
    'swallows messages',
    'hands a message to every other server that is attached',
    () => ({ publish: async () => ({ expected: 0, replies: [] }) }),
  ],
  [
    'delivers twice',
    'attaching what is attached doubles nothing',
    (inner) => ({
      publish: async (...call) => {
        await inner.publish(...call);
        return inner.publish(...call);
      },
    }),
  ],
  [
    'hands everything to everyone',
    'hands nothing to a server that is not attached',
    brokenNames(() => 'all'),
  ],
  ['delivers to itself', 'never delivers on the server that publishes', deliversToItself],
  [
    'ignores the kind of a topic',
    'keeps topics of one name and different kinds apart',
    brokenNames((_kind, name) => name),
  ],
  [
    'joins kind and name by a letter that both may have',
    'keeps topics apart whatever their names contain',
    brokenNames((kind, name) => `${kind}:${name}`.replaceAll('account:', '')),
  ],
  [
    'cuts long names',
    'keeps topics apart whatever their names contain',
    brokenNames((kind, name) => `${kind}:${name}`.slice(0, 64)),
  ],
  [
    'normalizes names',
    'keeps topics apart whatever their names contain',
    brokenNames((kind, name) => `${kind}:${name.normalize()}`),
  ],
  ['loses the order', 'hands over messages of one topic in the order of the calls', losesTheOrder],
  [
    'attaches a little later',
    'attach has resolved: the very next message arrives',
    (inner) => ({
      attach: async (topics) => {
        setImmediate(() => void inner.attach(topics));
      },
    }),
  ],
  ['never detaches', 'nobody waits for a server that detached', () => ({ detach: () => {} })],
  [
    'throws when it detaches',
    'detach must not throw for what is not attached',
    () => ({
      detach: () => {
        throw new Error('not attached');
      },
    }),
  ],
  [
    'waits its timeout for nobody',
    'nobody is attached: none is expected, at once',
    brokenReceipt((receipt) => (receipt.expected === 0 ? never() : receipt)),
  ],
  [
    'counts the publisher',
    'only the publisher is attached: none is expected, at once',
    brokenReceipt(({ expected, replies }) => ({ expected: expected + 1, replies })),
  ],
  [
    'keeps the first reply only',
    'gathers the reply of every other server',
    brokenReceipt(({ expected, replies }) => ({ expected, replies: replies.slice(0, 1) })),
  ],
  [
    'expects only those that replied',
    'settles within timeoutMs when a server never answers',
    brokenReceipt(({ replies }) => ({ expected: replies.length, replies })),
  ],
  [
    'waits for ever',
    'settles within timeoutMs when a server never answers',
    brokenReceipt((receipt) => (receipt.expected > receipt.replies.length ? never() : receipt)),
  ],
  [
    'loses answers',
    'hands back what a client answered',
    brokenReceipt(({ expected, replies }) => ({
      expected,
      replies: replies.map((reply) => ({ ...reply, answer: undefined })),
    })),
  ],
  ['mixes up replies', 'gives each of many open messages its own reply', mixesUpReplies],
  [
    'does not wait for replies',
    'waits for a server that takes its time',
    (inner) => ({
      publish: async (...call) => {
        void inner.publish(...call);
        return { expected: 2, replies: [] };
      },
    }),
  ],
  [
    'takes one message after another',
    'a message that is not answered yet holds up none behind it',
    takesOneByOne,
  ],
  [
    'sends text in bytes of Latin 1',
    'carries unchanged: a frame of any text',
    brokenPush(({ frame }) => ({ frame: Buffer.from(frame, 'latin1').toString('latin1') })),
  ],
  [
    'cuts what is long',
    'carries unchanged: a frame of 1 MB',
    brokenPush(({ frame }) => ({ frame: frame.slice(0, 65_536) })),
  ],
  [
    'forgets whom to leave out',
    'carries unchanged: whom a push leaves out',
    brokenPush(() => ({ except: undefined })),
  ],
  ['forgets ids', 'carries unchanged: the id of a push', brokenPush(() => ({ id: undefined }))],
  [
    'lets time stand still and more',
    'a push arrives with what is left of its ttlMs',
    brokenPush(({ ttlMs }) => ({ ttlMs: ttlMs + 1_000 })),
  ],
  [
    'closes without closing',
    'nothing arrives after close has resolved',
    () => ({ close: async () => {} }),
  ],
  [
    'closes everybody',
    'the others go on when one closes',
    (_inner, all) => ({
      close: async () => {
        await Promise.all(all.map((one) => one.close()));
      },
    }),
  ],
];

describe('the contract of transports notices one that', () => {
  it.each(DEFECTS)('%s: %s', async (_defect, named, change) => {
    await expectBroken(transportContract(broken(change)), named);
  });

  it('claims in an outage that nobody had to answer', async () => {
    let isDown = false;
    const harness = broken((inner) => ({
      publish: async (...call) => (isDown ? { expected: 0, replies: [] } : inner.publish(...call)),
    }));
    const interrupt = async () => {
      isDown = true;
      return async () => {
        isDown = false;
      };
    };
    await expectBroken(
      transportContract({ ...harness, interrupt }),
      'a publish in an outage settles, and claims nothing that is not proven',
    );
  });

  it('forgets in an outage what was attached', async () => {
    const forget: (() => void)[] = [];
    const harness = broken((inner) => ({
      attach: (topics) => {
        forget.push(() => inner.detach(topics));
        return inner.attach(topics);
      },
    }));
    const interrupt = async () => {
      for (const one of forget) one();
      return async () => {};
    };
    await expectBroken(
      transportContract({ ...harness, interrupt }),
      'what was attached before an outage is attached after it',
    );
  });
});
