import type { PresenceRegistration } from '../presence-store.js';

/** What this process has registered, by partition: Redis may lose it, and gets it from here again. */
export class OwnRegistrations {
  private readonly partitions: readonly Map<string, PresenceRegistration>[];
  /** Their connections are gone, and Redis has not confirmed that it knows. */
  readonly leaving = new Map<string, PresenceRegistration>();

  constructor(
    count: number,
    private readonly indexOf: (accountId: string) => number,
  ) {
    this.partitions = Array.from({ length: count }, () => new Map());
  }

  add(one: PresenceRegistration): void {
    this.partitions[this.indexOf(one.accountId)]!.set(one.registration, one);
  }

  has({ accountId, registration }: PresenceRegistration): boolean {
    return this.partitions[this.indexOf(accountId)]!.has(registration);
  }

  remove({ accountId, registration }: PresenceRegistration): void {
    this.partitions[this.indexOf(accountId)]!.delete(registration);
    this.leaving.delete(registration);
  }

  of(partition: number): readonly PresenceRegistration[] {
    return [...this.partitions[partition]!.values()];
  }

  holds(partition: number, registration: string): boolean {
    return this.partitions[partition]!.has(registration);
  }
}
