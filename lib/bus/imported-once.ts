import { Injectable } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { LoopWsBootError } from '../loop-ws.errors.js';

/** Applications that already import this module. Each application has its own configuration object. */
const applicationsWithBus = new WeakSet<ApplicationConfig>();

/** Refuses a second bus in one application: half of its providers would push to a bus without listeners. */
@Injectable()
export class ImportedOnce {
  constructor(config: ApplicationConfig) {
    if (applicationsWithBus.has(config)) {
      throw new LoopWsBootError(
        'LoopWs: LoopWsModule.forRoot is imported twice in this application. Import it once, in the root module: it ' +
          'is global, so every module can inject EventBus without importing it again.',
      );
    }
    applicationsWithBus.add(config);
  }
}
