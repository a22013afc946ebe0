import type { ContractCase } from '../../lib/testing/index.js';

/** The named case must fail by what it asks, and not because something else threw. */
export async function expectBroken(cases: readonly ContractCase[], named: string): Promise<void> {
  const found = cases.find(({ name }) => name === named);
  if (found === undefined) throw new Error(`The contract has no case "${named}".`);
  const failure = await found.run().then(
    () => 'it passed',
    (error: Error) => error,
  );
  expect(failure).toMatchObject({ code: 'ERR_ASSERTION' });
}
