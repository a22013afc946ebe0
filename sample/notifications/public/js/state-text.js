/** Words for a client's state: the same ones in the header, on the cards and in the feed. */

const LABELS = { connecting: 'Connecting', open: 'Open', waiting: 'Waiting', closed: 'Closed' };

const REPLACED = 4509;

const REASONS = {
  1000: 'Closed on this page.',
  4501: 'The credentials are no longer good. Log in again; it does not come back by itself.',
  4503: 'The server refuses this connection. It does not come back.',
  [REPLACED]:
    'Replaced by a newer connection of the same account and device. It does not come back.',
};

export function stateLabel({ state, code }) {
  return state === 'closed' && code === REPLACED ? 'Replaced' : LABELS[state];
}

/** Why a connection is over; empty while it is not. */
export function endReason({ state, code, reason }) {
  if (state !== 'closed') return '';
  return `${REASONS[code] ?? reason ?? ''} (close code ${code})`;
}

/** What it waits for; empty when it does not wait. */
export function waitText({ state, code, reason }, retryAt) {
  if (state !== 'waiting') return '';
  const seconds = Math.max(0, (retryAt - performance.now()) / 1000).toFixed(1);
  return `next try in ${seconds} s · ${lossText(code, reason)}`;
}

export function lossText(code, reason) {
  return code === 1006 ? 'no server answered' : `${reason || 'connection lost'} (${code})`;
}
