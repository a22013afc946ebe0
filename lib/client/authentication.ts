import type { OkFrame } from '../protocol/frames.js';
import type { Ask } from './calls.js';
import { clientError, LoopClientError } from './client-errors.js';
import { timerMs, type Timer } from './timer.js';

/** A token, or a function that is asked for a fresh one at every connect and before the old one expires. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** Longest time before the expiry at which a token is renewed: enough for browsers, which slow timers of hidden tabs. */
const LONGEST_MARGIN_MS = 300_000;

/** A server that announces tokens of no lifetime must not be asked in a tight loop. */
const SHORTEST_WAIT_MS = 250;

/** As long as a whole attempt to connect may take by default: a function that hangs must not be the last attempt. */
const TOKEN_DEADLINE_MS = 10_000;

/** When to renew a token that expires in `expiresInMs`: a fifth of its lifetime before, at most five minutes. */
export function renewalWaitMs(expiresInMs: number): number {
  return Math.max(expiresInMs - Math.min(expiresInMs / 5, LONGEST_MARGIN_MS), SHORTEST_WAIT_MS);
}

/** Where tokens come from, and how an open connection's credentials are kept fresh. */
export interface Authentication {
  /** The token of the next connection. */
  readonly token: () => Promise<string | undefined>;
  readonly authenticate: (token?: string) => Promise<void>;
  /** A connection has opened. Only a token function can renew its credentials. */
  readonly open: (expiresInMs: number | undefined) => void;
  readonly close: () => void;
}

/** `refreshed` is told what the new credentials have ended, `failed` why a renewal by itself failed. */
export function createAuthentication(
  source: TokenSource | undefined,
  ask: Ask,
  refreshed: (removed: readonly string[] | undefined) => void,
  failed: (error: unknown) => void,
): Authentication {
  /** What to go back to when the server refuses a token that was tried. */
  let good = source;
  /** The schedule in force, so that a renewal knows whether it still belongs to it. None without a connection. */
  let current: object | undefined;
  let timer: Timer | undefined;

  const token = async (): Promise<string | undefined> =>
    typeof source === 'function' ? source() : source;

  async function use(next: string | undefined): Promise<void> {
    if (!next) {
      throw clientError('bad_option', ['token']);
    }
    // A function stays in charge: it knows newer tokens. A text is replaced before the answer: should that be lost with
    // the connection, the next one is to bring the newer token.
    const isText = typeof source !== 'function';
    if (isText) source = next;
    try {
      const { expiresInMs, removed } = (await ask({ op: 'auth', token: next })) as OkFrame;
      if (isText) good = next;
      // An answer that comes after the end of its connection schedules nothing.
      if (current) schedule(expiresInMs);
      refreshed(removed);
    } catch (error) {
      const isRefusal = /^(unauthorized|forbidden)$/.test((error as LoopClientError).code);
      // Another one that has replaced it meanwhile stays: the server has yet to decide about that.
      if (isRefusal && source === next) source = good;
      throw error;
    }
  }

  function startTimer(ms: number, run: () => unknown): void {
    clearTimeout(timer);
    timer = setTimeout(run, timerMs(ms));
  }

  function schedule(expiresInMs: number | undefined): void {
    const own = (current = {});
    const expiresAt = performance.now() + (expiresInMs ?? 0);
    clearTimeout(timer);
    if (typeof source === 'function' && expiresInMs !== undefined) renewIn(expiresInMs);

    function renewIn(restMs: number): void {
      startTimer(renewalWaitMs(restMs), async () => {
        try {
          const fresh = await freshToken();
          // The connection has ended meanwhile: the next one brings a token of its own.
          if (own === current) await use(fresh);
        } catch (error) {
          if (own !== current) return;
          failed(error);
          const leftMs = expiresAt - performance.now();
          if (leftMs > 0) renewIn(leftMs);
        }
      });
    }
  }

  const freshToken = (): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      startTimer(TOKEN_DEADLINE_MS, () => {
        reject(clientError('timeout', ['The option "token"', TOKEN_DEADLINE_MS, true]));
      });
      token().then(resolve, reject);
    });

  return {
    token,
    authenticate: async (next) => use(next ?? (await token())),
    open: schedule,
    close() {
      clearTimeout(timer);
      current = undefined;
    },
  };
}
