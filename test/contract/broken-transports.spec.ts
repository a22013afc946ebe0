import type { TransportServer } from '../../lib/index.js';
import { transportContract } from '../../lib/testing/index.js';
import { expectBroken } from '../support/broken-contract.js';
import { brokenTransport, type TransportChange } from '../support/broken-transport.js';

function brokenPush(change: (push: { frame: string; ttlMs: number }) => object): TransportChange {
  return (inner) => ({
    publish: (topic, message, options) => {
      const changed = message.kind === 'push' ? { ...message, ...change(message) } : message;
      return inner.publish(topic, changed, options);
    },
  });
}

const brokenNames = (nameOf: (kind: string, name: string) => string): TransportChange => {
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

const deliversToItself: TransportChange = (inner) => {
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

const losesTheOrder: TransportChange = (inner) => {
  let count = 0;
  return {
    publish: async (...call) => {
      if (count++ % 7 === 0) await new Promise(setImmediate);
      return inner.publish(...call);
    },
  };
};

const DEFECTS: readonly (readonly [defect: string, named: string, change: TransportChange])[] = [
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
    await expectBroken(transportContract(brokenTransport(change)), named);
  });

  it('forgets in an outage what was attached', async () => {
    const forget: (() => void)[] = [];
    const harness = brokenTransport((inner) => ({
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
