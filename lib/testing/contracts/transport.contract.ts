import type { LoopTransport } from '../../transport/loop-transport.js';
import { checksFor, runCheck } from './check.js';
import type { ContractCase } from './contract-case.js';
import type { ContractHarness } from './contract-harness.js';
import { Patience } from './patience.js';
import { closingChecks } from './transport-closing.checks.js';
import { contentChecks } from './transport-content.checks.js';
import { deliveryChecks } from './transport-delivery.checks.js';
import { interestChecks } from './transport-interest.checks.js';
import { TransportMember } from './transport-member.js';
import { type Interrupt, outageChecks } from './transport-outage.checks.js';
import { receiptChecks } from './transport-receipt.checks.js';

/** How the contract gets at a transport. */
export interface TransportHarness extends ContractHarness<LoopTransport> {
  /**
   * Begins an outage of what the servers are joined by, and resolves with the call that ends it: pause the broker, or
   * cut its connections. Without it the cases of an outage are left out.
   */
  readonly interrupt?: Interrupt;
}

const CHECKS = [
  ...deliveryChecks,
  ...interestChecks,
  ...receiptChecks,
  ...contentChecks,
  ...closingChecks,
];

/**
 * What every `LoopTransport` must do, as cases for any test runner. Run them one after another.
 *
 * @example
 * import { test } from 'node:test';
 * for (const { name, run } of transportContract({ create: () => new NatsTransport(url) })) test(name, run);
 */
export function transportContract(harness: TransportHarness): readonly ContractCase[] {
  const patience = new Patience(harness.withinMs);
  const { interrupt, servers } = harness;
  const checks = interrupt === undefined ? CHECKS : [...CHECKS, ...outageChecks(interrupt)];
  return checksFor(checks, servers).map((check) => ({
    name: check.name,
    run: () =>
      runCheck(harness, check, (transport, serverId) => {
        return new TransportMember(transport, serverId, patience);
      }),
  }));
}
