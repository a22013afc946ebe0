import type { IncomingMessage } from 'node:http';
import { Inject } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import type { LoopSocket } from '../connections/loop-socket.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { CloseCode } from '../protocol/close-code.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { AdapterInstaller } from './adapter.installer.js';
import { Handshake, type HandshakeAnswer } from './handshake.js';
import { OWN_SERVER } from './loop-ws.adapter.js';
import { ServerLifecycle } from './server.lifecycle.js';

/** The WebSocket endpoint as Nest sees it. The work is done by {@link Handshake} and {@link ServerLifecycle}. */
@WebSocketGateway()
export class LoopWsGateway implements OnGatewayInit {
  constructor(
    @Inject(LOOP_WS_SETTINGS) settings: LoopWsSettings,
    modules: ModulesContainer,
    _adapter: AdapterInstaller,
    private readonly handshake: Handshake,
    private readonly lifecycle: ServerLifecycle,
    private readonly logger: SampledLogger,
  ) {
    setGatewayOptions(modules, serverOptions(settings, handshake, logger));
  }

  /**
   * Must not throw, because Nest calls it inside an observer. It listens to the server directly, because a
   * `handleConnection` method would make Nest observe each socket.
   */
  afterInit(server: unknown): void {
    if (!this.lifecycle.useServer(server)) return;
    server.on('connection', (socket, request) => this.accept(socket, request));
  }

  private accept(socket: LoopSocket, request: IncomingMessage): void {
    const admitted = this.handshake.takeAdmitted(request);
    if (admitted === undefined) {
      this.logger.warn(
        'stranger',
        'A socket that LoopWs did not authenticate was closed: another gateway uses the same path. Give one of them ' +
          'a different "path".',
      );
      socket.on('error', () => {});
      socket.close(CloseCode.InternalError, '');
      return;
    }
    this.lifecycle.connect(socket, request.socket, admitted);
  }
}

/**
 * Nest keeps gateway options as metadata of the provider's class, but ours are known only once the application's
 * options are. Nest reads them after dependency injection, so setting them here is in time. It reads them from the
 * provider, so each application gets its own subclass; otherwise two applications in one process would overwrite each
 * other's options.
 */
function setGatewayOptions(modules: ModulesContainer, options: object): void {
  class ConfiguredGateway extends LoopWsGateway {}
  WebSocketGateway(0, options)(ConfiguredGateway);
  for (const { providers } of modules.values()) {
    const provider = providers.get(LoopWsGateway);
    if (provider !== undefined) provider.metatype = ConfiguredGateway;
  }
}

/** Options for the server of the `ws` package, which the adapter passes on. */
function serverOptions(
  { path, config }: LoopWsSettings,
  handshake: Handshake,
  logger: SampledLogger,
): object {
  return {
    [OWN_SERVER]: true,
    path,
    maxPayload: config.maxPayload,
    maxFragments: config.maxFragments,
    closeTimeout: config.closeTimeoutMs,
    perMessageDeflate: config.compression,
    autoPong: false, // the session answers pings itself, within the rate limit
    verifyClient: (info: { readonly req: IncomingMessage }, answer: HandshakeAnswer) => {
      handshake.verify(info.req, answer).catch((error: unknown) => {
        logger.error('upgrade', 'An upgrade request could not be answered', error);
      });
    },
    handleProtocols: (offered: ReadonlySet<string>) => handshake.selectSubprotocol(offered),
  };
}
