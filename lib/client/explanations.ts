import type { ClientErrorCode } from './client-errors.js';

type Explanation = (...facts: readonly unknown[]) => string;

/** What happened and what to do next, built from the facts that come with each code. */
const EXPLANATIONS: Readonly<Record<ClientErrorCode, Explanation>> = {
  bad_option: (option, value) => badOption(String(option), value),
  no_web_socket: () =>
    'There is no global WebSocket here: install the "ws" package and pass it, connect(url, { WebSocket }).',
  bad_pattern: (pattern, latest) =>
    latest
      ? `"${String(pattern)}" has no latest event: name the service.`
      : `"${String(pattern)}" is not a pattern: use "chat:message.send", "chat:*", "*:message.send", "chat:message.*" or "*:*".`,
  bad_name: (name) =>
    `"${String(name)}" is not the full name of an event: use one such as "chat:message.send".`,
  bad_data: (cause) => `The data cannot be written as JSON: ${String(cause)}`,
  duplicate_answer: (name) =>
    `"${String(name)}" already has an answerer: call the function that answer() returned to remove it.`,
  no_handler: (name) => `This client does not answer "${String(name)}".`,
  buffer_full: (what, bytes, held, limit) =>
    `${String(what)} was not sent: it takes ${String(bytes)} bytes, ${String(held)} bytes are waiting to be sent and "maxBufferedBytes" is ${String(limit)}. Wait for the buffer to drain, or send less.`,
  frame_too_large: (what, bytes, limit) =>
    `${String(what)} was not sent: it takes ${String(bytes)} bytes, and the server accepts at most ${String(limit)}. Send less at once.`,
  closed: (what) =>
    typeof what === 'string'
      ? `The client was closed before ${what} could be sent.`
      : 'The client is closed and will not come back: connect() again.',
  forbidden: (pattern) => `The new credentials do not allow "${String(pattern)}".`,
  not_open: (what) =>
    `${String(what)} was not sent: there is no open connection. Wait for ready().`,
  timeout: (what, ms, isSent) =>
    isSent
      ? `${String(what)} was sent, but not answered within ${String(ms)} ms: whether the server acted on it is unknown.`
      : `${String(what)} was never sent: it was still in the buffer after ${String(ms)} ms.`,
  connection_lost: (what) =>
    `The connection broke: whether the server received ${String(what)} is unknown. It is not sent again.`,
  connect_failed: (cause) => `The connection could not be opened: ${String(cause)}`,
  unreadable_frame: () => 'The server sent an unreadable frame: it was ignored.',
  history_lost: (topic) =>
    `Events of "${String(topic)}" are lost: listen with onReset() and reload what you show from it.`,
  storage_failed: (cause) => `The storage failed: ${String(cause)}`,
  handler_failed: (cause) => `A handler of the application failed: ${String(cause)}`,
};

function badOption(option: string, value: unknown): string {
  switch (option) {
    case 'url':
      return `"${String(value)}" is not the address of a server: use one such as "wss://app.example/ws".`;
    case 'token':
      return value
        ? 'A subprotocol cannot carry the token: use base64url, without "=" and "/".'
        : 'There is no token: pass one, or the option "token".';
    default:
      return `The option "${option}" must be a number of at least 0, not ${String(value)}.`;
  }
}

export function explanation(code: string, facts: readonly unknown[]): string {
  return EXPLANATIONS[code as ClientErrorCode](...facts);
}
