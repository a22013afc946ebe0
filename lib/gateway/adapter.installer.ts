import { Injectable } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsAdapter } from './loop-ws.adapter.js';

/** Makes the module's own WebSocket adapter the default; a later `app.useWebSocketAdapter` still wins. */
@Injectable()
export class AdapterInstaller {
  constructor(
    config: ApplicationConfig,
    host: HttpAdapterHost,
    { strayUpgradeTimeoutMs }: LoopWsConfig,
  ) {
    if (!config.getIoAdapter()) config.setIoAdapter(new LoopWsAdapter(host, strayUpgradeTimeoutMs));
  }
}
