import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { BusLifecycle } from './bus.lifecycle.js';

/** The lifecycle of a process without a gateway: it pushes, and no client connects. */
@Injectable()
export class WorkerLifecycle
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(private readonly bus: BusLifecycle) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.bus.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.bus.inTime(this.bus.closePresence(), 'The presence store');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.closeTransport();
  }
}
