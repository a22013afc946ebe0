import { clientSettings, type LoopClientOptions, type UrlSource } from './client-options.js';
import { LoopClient } from './loop-client.js';

/**
 * Connects to a server of `nestjs-loopws` and stays connected: every end of a connection but a final one (45xx) is
 * followed by another attempt, so there is nothing to await.
 *
 * @param url the server's address, e.g. `wss://app.example/ws`; in a browser a path such as `/ws` will do. A function is
 *   asked at every attempt: where no load balancer stands before several servers, it names another one of them
 * @throws LoopClientError `bad_option` or `no_web_socket`, with a sentence that says what to do
 *
 * @example
 * const loop = connect('wss://app.example/ws', { token: () => fetchToken() });
 * loop.on('billing:*', (data, event) => console.log(event.name, data));
 * const reply = await loop.request('chat:message.send', { text: 'Hello' });
 */
export function connect(url: UrlSource, options: LoopClientOptions = {}): LoopClient {
  return new LoopClient(clientSettings(url, options));
}
