import type { PresenceRegistration } from '../presence-store.js';

/** What this process has registered, by partition. When Redis loses it, it is written again from here. */
export class OwnRegistrations {
  private readonly partitions: readonly Map<string, PresenceRegistration>[];
  private readonly arriving = new Set<string>();
  private readonly left = new Map<string, PresenceRegistration>();
  private readonly unreported = new Set<string>();

  constructor(
    count: number,
    private readonly indexOf: (accountId: string) => number,
  ) {
    this.partitions = Array.from({ length: count }, () => new Map());
  }

  /** Registrations whose connections are gone, and whose removal Redis has not confirmed. */
  get leaving(): readonly PresenceRegistration[] {
    return [...this.left.values()];
  }

  /** The registration is being made; until {@link settle} or {@link fail}, only the caller writes it to Redis. */
  arrive(one: PresenceRegistration): void {
    this.partitions[this.indexOf(one.accountId)]!.set(one.registration, one);
    this.arriving.add(one.registration);
  }

  /** Redis has confirmed the registration. */
  settle({ registration }: PresenceRegistration): void {
    this.arriving.delete(registration);
  }

  /** It is not known whether the registration is in Redis. */
  fail(one: PresenceRegistration): void {
    this.arriving.delete(one.registration);
    this.unreported.add(one.registration);
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
    this.unreported.delete(registration);
  }

  /** Another process removed all of it from Redis, and reported the accounts offline that have no other connection. */
  markSwept(): void {
    for (const one of this.leaving) this.remove(one);
    for (const registrations of this.partitions) {
      for (const registration of registrations.keys()) {
        if (!this.arriving.has(registration)) this.unreported.add(registration);
      }
    }
  }

  /** Whether the registration may have caused an online edge that was not reported. */
  isUnreported({ registration }: PresenceRegistration): boolean {
    return this.unreported.has(registration);
  }

  /** Marks the edge as reported. Returns whether the registration was {@link isUnreported} until now. */
  tell({ registration }: PresenceRegistration): boolean {
    return this.unreported.delete(registration);
  }

  /** Registrations of the partition that are {@link settled} and whose connections are open. */
  present(partition: number): readonly PresenceRegistration[] {
    return this.settled(partition).filter(({ registration }) => !this.left.has(registration));
  }

  /** Registrations of the partition that are no longer being made, whether or not they are leaving. */
  settled(partition: number): readonly PresenceRegistration[] {
    return [...this.partitions[partition]!.values()].filter(
      ({ registration }) => !this.arriving.has(registration),
    );
  }
}
