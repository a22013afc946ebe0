import { type Check, growing } from './check.js';
import { must } from './must.js';
import { account, pushTo, type TransportMember } from './transport-member.js';

const SHORT_MS = 150;

/** Begins an outage of what the servers are joined by. Resolves with the call that ends it. */
export type Interrupt = () => Promise<() => Promise<void>>;

/** Runs `during` in an outage that ends in any case, so that the servers can close. */
async function inOutage(interrupt: Interrupt, during: () => Promise<void>): Promise<void> {
  const end = await interrupt();
  try {
    await during();
  } finally {
    await end();
  }
}

export function outageChecks(interrupt: Interrupt): readonly Check<TransportMember>[] {
  const acme = account('acme');
  return [
    growing(
      'a publish in an outage settles, and claims nothing that is not proven',
      async (join) => {
        const [a, b] = [await join(), await join()];
        await b.attach(acme);
        await inOutage(interrupt, async () => {
          const outcome = await a
            .publish(acme, pushTo(acme, 'lost'), SHORT_MS)
            .catch(() => 'rejected');
          const isHonest = typeof outcome === 'string' || outcome.expected > outcome.replies.length;
          must('it rejects, or expects more servers than have replied', isHonest, outcome);
        });
      },
    ),

    growing('an attach in an outage settles, and one after it is good', async (join) => {
      const [a, b] = [await join(), await join()];
      let attached: Promise<void> | undefined;
      await inOutage(interrupt, async () => {
        attached = b.attach(acme);
        attached.catch(() => {}); // it is awaited after the outage
        await a.publish(acme, pushTo(acme, 'lost'), SHORT_MS).catch(() => {});
      });
      await attached?.catch(() => b.attach(acme));
      await a.untilExpected(acme, 1);
    }),

    growing('what was attached before an outage is attached after it', async (join) => {
      const [a, b] = [await join(), await join()];
      await b.attach(acme);
      await inOutage(interrupt, async () => {
        await a.publish(acme, pushTo(acme, 'lost'), SHORT_MS).catch(() => {});
      });
      await a.untilExpected(acme, 1);
    }),
  ];
}
