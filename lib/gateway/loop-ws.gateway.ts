import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { type OnGatewayConnection, type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import type { LoopSocket } from '../connections/loop-socket.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { CloseCode } from '../protocol/close-code.js';
import { stackOf } from '../util/background-work.js';
import { AdapterInstaller } from './adapter.installer.js';
import { OWN_SERVER } from './loop-ws.adapter.js';
import { Handshake, type HandshakeAnswer } from './handshake.js';
import { ServerLifecycle } from './server.lifecycle.js';

const LOGGER = new Logger('LoopWs');

/** Options of the `ws` package's server, which its adapter passes on. */
function serverOptions({ path, config }: LoopWsSettings, handshake: Handshake): object {
  return {
    [OWN_SERVER]: true,
    path,
    maxPayload: config.maxPayload,
    maxFragments: config.maxFragments,
    perMessageDeflate: config.compression,
    autoPong: false, // the session answers pings, within the rate
    verifyClient: (info: { readonly req: IncomingMessage }, answer: HandshakeAnswer) => {
      handshake.verify(info.req, answer).catch((error: unknown) => {
        LOGGER.error('An upgrade was lost', stackOf(error));
      });
    },
    handleProtocols: (offered: ReadonlySet<string>) => handshake.selectSubprotocol(offered),
  };
}

/**
 * Makes the gateway. A class of its own for each module, because gateway metadata sits on the class and is known only
 * when the options are: the constructor writes it, and Nest reads it after dependency injection.
 */
export function createGateway(): Type<unknown> {
  @Injectable()
  class LoopWsGateway implements OnGatewayInit, OnGatewayConnection {
    constructor(
      @Inject(LOOP_WS_SETTINGS) settings: LoopWsSettings,
      _adapter: AdapterInstaller,
      private readonly handshake: Handshake,
      private readonly lifecycle: ServerLifecycle,
    ) {
      WebSocketGateway(0, serverOptions(settings, handshake))(LoopWsGateway);
    }

    /** Must not throw: it runs inside an observer. */
    afterInit(server: unknown): void {
      this.lifecycle.useServer(server);
    }

    /** Must not throw or reject: Nest would let the process end. */
    handleConnection(socket: LoopSocket, request: IncomingMessage): void {
      const admitted = this.handshake.takeAdmitted(request);
      if (admitted === undefined) {
        LOGGER.error(
          'A socket arrived that LoopWs did not authenticate: another gateway owns the same path. Give one of them ' +
            'another "path".',
        );
        socket.on('error', () => {});
        socket.close(CloseCode.InternalError, '');
        return;
      }
      this.lifecycle
        .connect(socket, request.socket, admitted)
        .catch((error: unknown) => LOGGER.error('A connection was lost', stackOf(error)));
    }
  }
  WebSocketGateway()(LoopWsGateway);
  return LoopWsGateway;
}
