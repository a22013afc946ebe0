/** How a contract gets at an implementation. */
export interface ContractHarness<Instance> {
  /**
   * Makes one more server, not started. All that are made during one case form one cluster. The contract starts and
   * closes what it gets, also when a case fails.
   */
  create(): Instance | Promise<Instance>;
  /** Called before each case, when nothing runs. Makes a cluster that is empty, if an old one could have left something. */
  reset?(): void | Promise<void>;
  /** 1 for an implementation of a single server: what takes several is left out. Default: as many as are asked for. */
  readonly servers?: 1;
  /** How long anything that must happen may take, in milliseconds. Default 5 000. */
  readonly withinMs?: number;
}
