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

/** What Nest knows of the WebSocket endpoint. Everything that happens there is done by others. */
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
   * Must not throw: it runs inside an observer. It listens to the server itself, because a `handleConnection` would have
   * Nest observe each of the sockets.
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
        'A socket arrived that LoopWs did not authenticate: another gateway owns the same path. Give one of them ' +
          'another "path".',
      );
      socket.on('error', () => {});
      socket.close(CloseCode.InternalError, '');
      return;
    }
    this.lifecycle.connect(socket, request.socket, admitted);
  }
}

/**
 * Gateway options are metadata of the provider's class, and known only when the application's options are. Nest reads
 * them after dependency injection, so this is in time; and it reads them from the provider, so each application gives
 * its own a class of its own and no two applications of one process overwrite each other's.
 */
function setGatewayOptions(modules: ModulesContainer, options: object): void {
  class ConfiguredGateway extends LoopWsGateway {}
  WebSocketGateway(0, options)(ConfiguredGateway);
  for (const { providers } of modules.values()) {
    const provider = providers.get(LoopWsGateway);
    if (provider !== undefined) provider.metatype = ConfiguredGateway;
  }
}

/** Options of the `ws` package's server, which its adapter passes on. */
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
    autoPong: false, // the session answers pings, within the rate
    verifyClient: (info: { readonly req: IncomingMessage }, answer: HandshakeAnswer) => {
      handshake.verify(info.req, answer).catch((error: unknown) => {
        logger.error('upgrade', 'An upgrade was lost', error);
      });
    },
    handleProtocols: (offered: ReadonlySet<string>) => handshake.selectSubprotocol(offered),
  };
}
