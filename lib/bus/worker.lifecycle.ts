import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { BusLifecycle } from './bus.lifecycle.js';

/** The life of a process that has no gateway: it pushes, and nobody connects. */
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
