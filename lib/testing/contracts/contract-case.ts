/**
 * One thing that a contract asks. Belongs to no test runner: `test(name, run)` of `node:test`, `it` of Jest or Vitest.
 */
export interface ContractCase {
  /** A sentence of the contract. */
  readonly name: string;
  /** Rejects with an `AssertionError` that says what is asked and what was seen, and leaves nothing running. */
  run(): Promise<void>;
}
