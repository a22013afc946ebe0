import type { LoopConnection } from '../../connections/loop-connection.js';
import { LoopWsException } from '../../loop-ws.errors.js';
import { CloseCode } from '../../protocol/close-code.js';
import { ErrorCode } from '../../protocol/error-code.js';
import type { Authenticator } from '../request/authenticator.js';
import { CredentialsExpiry } from './credentials-expiry.js';
import type { Identity } from '../request/identity.js';
import type { KeptRequest } from '../request/kept-request.js';
import { UpgradeRefusal } from '../request/refusal.js';

interface RefusedCredentials {
  readonly refused: ErrorCode;
  readonly message: string;
}

interface AcceptedCredentials {
  /** What the `ok` frame says about them. */
  readonly told: { readonly expiresInMs?: number };
  /** Restores the previous claims and expiry. */
  readonly undo: () => void;
}

/** The outcome of a refresh. */
export type RefreshedCredentials = AcceptedCredentials | RefusedCredentials;

/** The credentials that a connection was admitted with, for as long as they are valid. */
export class Credentials {
  /** Absent when the credentials do not expire. */
  private expiry: CredentialsExpiry | undefined;

  constructor(
    private readonly request: KeptRequest,
    private readonly connection: LoopConnection,
    private readonly authenticator: Authenticator,
  ) {}

  get expiresInMs(): { readonly expiresInMs?: number } {
    return this.expiry === undefined ? {} : { expiresInMs: this.expiry.leftMs };
  }

  /** Replaces any expiry that was set before; `undefined` means that the credentials do not expire. */
  expireAt(expiresAt: number | undefined): void {
    this.forget();
    if (expiresAt === undefined) return;
    this.expiry = new CredentialsExpiry(expiresAt, {
      onExpiring: () => this.connection.sendFrame({ op: 'expiring', ...this.expiresInMs }),
      onExpired: () =>
        this.connection.close(CloseCode.CredentialsExpired, 'The credentials have expired.'),
    });
  }

  forget(): void {
    this.expiry?.clear();
    this.expiry = undefined;
  }

  /**
   * Replaces the claims and the expiry, or leaves both unchanged when the token is not valid for this account. Rejects
   * when the token cannot be checked right now, and when the signal is aborted, as it is when the connection ends.
   */
  async refresh(token: string, signal: AbortSignal): Promise<RefreshedCredentials> {
    const identity = await this.identify(token);
    signal.throwIfAborted();
    if ('refused' in identity) return identity;
    if (identity.accountId !== this.connection.accountId) {
      return { refused: ErrorCode.Forbidden, message: 'The token belongs to another account.' };
    }
    const undo = this.restorer();
    this.connection.refresh(identity.claims);
    this.expireAt(identity.expiresAt);
    return { told: this.expiresInMs, undo };
  }

  private restorer(): () => void {
    const { claims } = this.connection;
    const expiresAt = this.expiry?.expiresAt;
    return () => {
      this.connection.refresh(claims);
      this.expireAt(expiresAt);
    };
  }

  private async identify(token: string): Promise<Identity | RefusedCredentials> {
    try {
      return await this.authenticator.identify(this.request.withToken(token));
    } catch (error) {
      if (error instanceof UpgradeRefusal && error.status === 503) {
        throw new LoopWsException(ErrorCode.Unavailable, 'The token cannot be checked right now.');
      }
      return { refused: ErrorCode.Unauthorized, message: 'The token was refused.' };
    }
  }
}
