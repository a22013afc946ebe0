import type { OkFrame } from '../protocol/frames.js';
import type { Calls } from './calls.js';
import { clientError, isTemporary, type LoopClientError } from './client-errors.js';
import type { TokenSource } from './client-options.js';
import { type LoopStatus, openConnection } from './loop-state.js';

/** Supplies tokens, and keeps the credentials of an open connection fresh. */
export interface Authentication {
  /** The token for the next connection. */
  readonly token: () => Promise<string | undefined>;
  readonly authenticate: (token?: string) => Promise<void>;
  /** Call it when the credentials of the connection expire soon. Only a token function can renew them. */
  readonly renew: () => Promise<void>;
}

/** `refreshed` receives the patterns that the new credentials ended, `failed` the error of an automatic renewal. */
export function createAuthentication(
  loop: Readonly<LoopStatus>,
  source: TokenSource | undefined,
  { ask, askNow }: Pick<Calls, 'ask' | 'askNow'>,
  refreshed: (removed: readonly string[] | undefined) => void,
  failed: (error: unknown) => void,
): Authentication {
  /** The token source to go back to when the server refuses a token. */
  let good = source;

  const token = async (): Promise<string | undefined> =>
    typeof source === 'function' ? source() : source;

  async function authenticate(given?: string, askServer = ask): Promise<void> {
    const next = given ?? (await token());
    if (!next) throw clientError('bad_option', 'token');
    // A function stays the source, because it knows newer tokens. A string is replaced before the answer arrives: if
    // the connection is lost first, the next one should bring the newer token.
    const isText = typeof source !== 'function';
    if (isText) source = next;
    let answer: OkFrame;
    try {
      answer = (await askServer({ op: 'auth', token: next })) as OkFrame;
      if (isText) good = next;
    } catch (error) {
      // A token that has replaced this one meanwhile stays, because the server has not decided about it yet.
      if (!isTemporary((error as LoopClientError).code) && source === next) source = good;
      throw error;
    }
    refreshed(answer.removed);
  }

  return {
    token,
    authenticate,
    async renew() {
      if (typeof source !== 'function') return;
      // If the connection changes meanwhile, the next one brings its own token and this renewal is obsolete.
      const connection = openConnection(loop);
      const isCurrent = (): boolean => connection === openConnection(loop);
      try {
        // Not `undefined`, which would make `authenticate` call the function again.
        const fresh = (await source()) ?? '';
        if (isCurrent()) await authenticate(fresh, askNow);
      } catch (error) {
        if (isCurrent()) failed(error);
      }
    },
  };
}
