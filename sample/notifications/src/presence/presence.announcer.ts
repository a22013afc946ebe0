import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  type ConnectionEvent,
  ConnectionRegistry,
  EventBus,
  OnAccountOffline,
  OnAccountOnline,
  type PushReport,
} from 'nestjs-loopws';
import { concatMap, type Subscription } from 'rxjs';

/** Makes "who is online" live: tells everyone who listens to `presence:*` what has changed. */
@Injectable()
export class PresenceAnnouncer implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceAnnouncer.name);
  private announcing: Subscription | undefined;

  constructor(
    private readonly bus: EventBus,
    private readonly registry: ConnectionRegistry,
  ) {}

  /** The first connection of an account; however many servers there are, one of them calls this once. */
  @OnAccountOnline()
  online(accountId: string): Promise<PushReport> {
    return this.bus.pushToChannel('presence:account.online', { accountId });
  }

  /** Its last connection is gone, and did not come back within the grace. */
  @OnAccountOffline()
  offline(accountId: string): Promise<PushReport> {
    return this.bus.pushToChannel('presence:account.offline', { accountId });
  }

  /** Each single device. The registry knows this server's connections, and the channel spans all servers. */
  onModuleInit(): void {
    this.announcing = this.registry.events$
      .pipe(concatMap((event) => this.announce(event)))
      .subscribe();
  }

  /** Not before: while this server leaves, its devices go one by one, and the others want to know. */
  onApplicationShutdown(): void {
    this.announcing?.unsubscribe();
  }

  /** Never rejects, for that would end the subscription, and with it the announcing. */
  private async announce({ type, connection }: ConnectionEvent): Promise<void> {
    const { accountId, connectionId } = connection;
    try {
      await this.bus.pushToChannel(`presence:connection.${type}`, { accountId, connectionId });
    } catch (error) {
      this.logger.error(error);
    }
  }
}
