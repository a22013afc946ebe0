import { Injectable } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { LoopWsAdapter } from './loop-ws.adapter.js';

/** Applications that have this module already. One configuration is one application, so nothing is shared by two. */
const equipped = new WeakSet<ApplicationConfig>();

/** Makes the module's own WebSocket adapter the default; a later `app.useWebSocketAdapter` still wins. */
@Injectable()
export class AdapterInstaller {
  constructor(
    config: ApplicationConfig,
    host: HttpAdapterHost,
    { strayUpgradeTimeoutMs }: LoopWsConfig,
  ) {
    if (equipped.has(config)) {
      throw new LoopWsBootError(
        'LoopWs: LoopWsModule.forRoot is imported twice in this application. Import it once, in the root module: it is ' +
          'global, so every module can inject EventBus without importing it again.',
      );
    }
    equipped.add(config);
    if (!config.getIoAdapter()) config.setIoAdapter(new LoopWsAdapter(host, strayUpgradeTimeoutMs));
  }
}
