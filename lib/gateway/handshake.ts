import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { acceptsSubprotocols, SUBPROTOCOL } from '../protocol/subprotocol.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { TurnPace } from '../util/turn-pace.js';
import { Admission } from './admission.js';
import { Authenticator } from './request/authenticator.js';
import { type Identity, isSafeId } from './request/identity.js';
import { type LoopRequest, offeredSubprotocols, toLoopRequest } from './request/loop-request.js';
import { isAllowedOrigin } from './request/origin-policy.js';
import { UpgradeRefusal } from './request/refusal.js';

/**
 * Opening a connection takes about 0.3 ms, most of it in this and the next turns of the event loop, and Node accepts
 * one socket per turn. Without this limit, hundreds of upgrades read in one turn would stall everything else and fill
 * the kernel's queue of sockets that wait to be accepted.
 */
const UPGRADES_PER_TURN = 4;

/** A peer that passed the handshake. */
export interface Admitted {
  readonly identity: Identity;
  readonly request: LoopRequest;
}

/** Tells the WebSocket server to accept the upgrade, or to answer it with this HTTP status. */
export type HandshakeAnswer = (
  accepted: boolean,
  status?: number,
  message?: string,
  headers?: Readonly<Record<string, string>>,
) => void;

/** Everything that happens before the 101 response. Cheap checks come first; the application is asked last. */
@Injectable()
export class Handshake {
  private readonly admitted = new WeakMap<IncomingMessage, Admitted>();
  private readonly pace = new TurnPace(UPGRADES_PER_TURN);

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly admission: Admission,
    private readonly authenticator: Authenticator,
    private readonly logger: SampledLogger,
  ) {}

  /** Answers exactly once, whatever the application throws. */
  async verify(raw: IncomingMessage, answer: HandshakeAnswer): Promise<void> {
    await this.pace.pass();
    const request = toLoopRequest(raw);
    const outcome = await this.identify(request).catch((error: unknown) => this.refusalOf(error));
    if (outcome instanceof UpgradeRefusal) return refuse(outcome, answer);
    // From here until the session is created everything happens in one turn, so that no limit can be passed and no
    // shutdown can begin in between.
    const refusal = this.admission.refusalFor(outcome);
    if (refusal !== undefined) return refuse(refusal, answer);
    this.admitted.set(raw, { identity: outcome, request });
    answer(true);
  }

  /** Returns what the handshake found out about the request, once; later calls return `undefined`. */
  takeAdmitted(raw: IncomingMessage): Admitted | undefined {
    const admitted = this.admitted.get(raw);
    this.admitted.delete(raw);
    return admitted;
  }

  /** The subprotocol to select in the 101 response; never the one that carries a token. */
  selectSubprotocol(offered: ReadonlySet<string>): string | false {
    return offered.has(SUBPROTOCOL) && SUBPROTOCOL;
  }

  private async identify(request: LoopRequest): Promise<Identity> {
    this.refuseIf(this.admission.refusalForAnyone());
    this.requireOrigin(request);
    this.requireSubprotocol(request);
    this.requireConnectionId(request);
    this.refuseIf(this.admission.refusalForRate());
    return this.admission.whilePending(() => this.authenticator.identify(request));
  }

  private refuseIf(refusal: UpgradeRefusal | undefined): void {
    if (refusal !== undefined) throw refusal;
  }

  private requireOrigin({ headers }: LoopRequest): void {
    if (isAllowedOrigin(headers, this.settings.allowedOrigins)) return;
    throw new UpgradeRefusal(403, 'This origin is not allowed.');
  }

  private requireSubprotocol({ headers }: LoopRequest): void {
    if (acceptsSubprotocols(offeredSubprotocols(headers))) return;
    throw new UpgradeRefusal(400, `This endpoint speaks the subprotocol ${SUBPROTOCOL}.`);
  }

  private requireConnectionId({ query }: LoopRequest): void {
    const connectionId = query.get('connectionId');
    const { maxIdLength } = this.settings.config;
    if (connectionId === null || isSafeId(connectionId, maxIdLength)) return;
    throw new UpgradeRefusal(
      400,
      `connectionId must have 1 to ${maxIdLength} characters and no control characters.`,
    );
  }

  private refusalOf(error: unknown): UpgradeRefusal {
    if (error instanceof UpgradeRefusal) return error;
    this.logger.error('handshake', 'The handshake failed; it was answered with 500', error);
    return new UpgradeRefusal(500, 'The server failed.');
  }
}

function refuse({ status, message, headers }: UpgradeRefusal, answer: HandshakeAnswer): void {
  answer(false, status, message, headers);
}
