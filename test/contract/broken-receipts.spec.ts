import type { TransportReceipt } from '../../lib/index.js';
import { transportContract } from '../../lib/testing/index.js';
import { expectBroken } from '../support/broken-contract.js';
import { brokenTransport, type TransportChange } from '../support/broken-transport.js';

const never = (): Promise<never> => new Promise(() => {});

function brokenReceipt(change: (receipt: TransportReceipt) => unknown): TransportChange {
  return (inner) => ({
    publish: async (topic, message, options) =>
      (await change(await inner.publish(topic, message, options))) as TransportReceipt,
  });
}

const takesOneByOne: TransportChange = (inner) => ({
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

const mixesUpReplies: TransportChange = (inner) => {
  const waiting: ((receipt: TransportReceipt) => void)[] = [];
  return {
    publish: (topic, message, options) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        void inner.publish(topic, message, options).then((receipt) => waiting.shift()?.(receipt));
      }),
  };
};

const DEFECTS: readonly (readonly [defect: string, named: string, change: TransportChange])[] = [
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
];

describe('the contract of transports notices one whose receipts are wrong, because it', () => {
  it.each(DEFECTS)('%s: %s', async (_defect, named, change) => {
    await expectBroken(transportContract(brokenTransport(change)), named);
  });

  it('claims in an outage that nobody had to answer', async () => {
    let isDown = false;
    const harness = brokenTransport((inner) => ({
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
});
