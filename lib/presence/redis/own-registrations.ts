import type { PresenceRegistration } from '../presence-store.js';

/** What this process has registered, by partition: Redis may lose it, and gets it from here again. */
export class OwnRegistrations {
  private readonly partitions: readonly Map<string, PresenceRegistration>[];
  private readonly arriving = new Set<string>();
  private readonly left = new Map<string, PresenceRegistration>();
  private readonly untold = new Set<string>();

  constructor(
    count: number,
    private readonly indexOf: (accountId: string) => number,
  ) {
    this.partitions = Array.from({ length: count }, () => new Map());
  }

  /** Their connections are gone, and Redis has not confirmed that it knows. */
  get leaving(): readonly PresenceRegistration[] {
    return [...this.left.values()];
  }

  /** It is being registered, by nobody else than the one who calls this. */
  arrive(one: PresenceRegistration): void {
    this.partitions[this.indexOf(one.accountId)]!.set(one.registration, one);
    this.arriving.add(one.registration);
  }

  /** Redis has confirmed it. */
  settle({ registration }: PresenceRegistration): void {
    this.arriving.delete(registration);
  }

  /** Nobody knows whether it is in Redis. */
  fail(one: PresenceRegistration): void {
    this.arriving.delete(one.registration);
    this.untold.add(one.registration);
    this.leave(one);
  }

  leave(one: PresenceRegistration): void {
    this.left.set(one.registration, one);
  }

  has({ accountId, registration }: PresenceRegistration): boolean {
    return this.holds(this.indexOf(accountId), registration);
  }

  holds(partition: number, registration: string): boolean {
    return this.partitions[partition]!.has(registration);
  }

  remove({ accountId, registration }: PresenceRegistration): void {
    this.partitions[this.indexOf(accountId)]!.delete(registration);
    this.left.delete(registration);
    this.untold.delete(registration);
  }

  /** Somebody removed all of it from Redis, and reported the accounts offline that have no other connection. */
  markSwept(): void {
    for (const one of this.leaving) this.remove(one);
    for (const registrations of this.partitions) {
      for (const registration of registrations.keys()) {
        if (!this.arriving.has(registration)) this.untold.add(registration);
      }
    }
  }

  /** Whether an online edge that came with it may not have been reported. */
  isUntold({ registration }: PresenceRegistration): boolean {
    return this.untold.has(registration);
  }

  /** Returns true once for one that {@link isUntold}. */
  tell({ registration }: PresenceRegistration): boolean {
    return this.untold.delete(registration);
  }

  /** Those of the partition whose connections live. */
  present(partition: number): readonly PresenceRegistration[] {
    return this.settled(partition).filter(({ registration }) => !this.left.has(registration));
  }

  /** Those of the partition that Redis has confirmed, whether or not they are leaving. */
  settled(partition: number): readonly PresenceRegistration[] {
    return [...this.partitions[partition]!.values()].filter(
      ({ registration }) => !this.arriving.has(registration),
    );
  }
}
