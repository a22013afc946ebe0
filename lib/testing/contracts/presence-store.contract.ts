import type { PresenceStore } from '../../presence/presence-store.js';
import { checksFor, runCheck } from './check.js';
import type { ContractCase } from './contract-case.js';
import type { ContractHarness } from './contract-harness.js';
import { EdgeLog } from './edge-log.js';
import { Patience } from './patience.js';
import { edgeChecks } from './presence-edge.checks.js';
import { PresenceMember } from './presence-member.js';
import { readingChecks } from './presence-reading.checks.js';
import { registrationChecks } from './presence-registration.checks.js';

const CHECKS = [...registrationChecks, ...readingChecks, ...edgeChecks];

/**
 * What every `PresenceStore` must do, as cases for any test runner. Run them one after another. Stores whose data
 * outlives them need a `reset` in the harness.
 *
 * @example
 * import { test } from 'node:test';
 * const harness = { create: () => new NatsPresenceStore(url), reset: () => bucket.purge() };
 * for (const { name, run } of presenceStoreContract(harness)) test(name, run);
 */
export function presenceStoreContract(
  harness: ContractHarness<PresenceStore>,
): readonly ContractCase[] {
  const patience = new Patience(harness.withinMs);
  return checksFor(CHECKS, harness.servers).map((check) => ({
    name: check.name,
    run: () => {
      const edges = { online: new EdgeLog(), offline: new EdgeLog() };
      return runCheck(harness, check, (store, serverId) => {
        return new PresenceMember(store, serverId, check.graceMs, patience, edges);
      });
    },
  }));
}
