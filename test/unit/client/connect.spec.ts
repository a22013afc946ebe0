import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { connect } from '../../../lib/client/index.js';
import { socketAddress } from '../../../lib/client/address.js';
import type { WebSocketConstructor } from '../../../lib/client/index.js';
import { ScriptedServer } from './scripted-server.js';

const platform = globalThis as { WebSocket?: WebSocketConstructor | undefined };
const browser = globalThis as { location?: { href: string } };

describe('connect', () => {
  const original = platform.WebSocket;

  afterEach(() => {
    if (original === undefined) delete platform.WebSocket;
    else platform.WebSocket = original;
    delete browser.location;
  });

  it('says what to pass where there is no WebSocket', () => {
    delete platform.WebSocket;

    expect(() => connect('ws://127.0.0.1/ws')).toThrow(
      /no global WebSocket .*install the "ws" package and pass it/,
    );
  });

  it('uses the WebSocket of the platform', async () => {
    platform.WebSocket = WebSocket;
    const server = await ScriptedServer.start();
    const loop = connect(server.url);

    await expect(loop.ready()).resolves.toMatchObject({ accountId: 'acme' });
    loop.close();
    await server.stop();
  });

  it.each(['nonsense', '/ws', 'ftp://app.example/ws', ''])('refuses the address "%s"', (url) => {
    expect(() => connect(url, { WebSocket })).toThrow(/is not the address of a server/);
  });

  it('asks a function for the address at every attempt', async () => {
    const [first, second] = [await ScriptedServer.start(), await ScriptedServer.start()];
    first.refuseWith = 503;
    const urls = ['nonsense', first.url, second.url];
    const problems: string[] = [];
    const loop = connect(() => urls.shift()!, { WebSocket, backoff: { baseMs: 0 } });
    loop.onError(({ code, message }) => problems.push(`${code}: ${message}`));

    await loop.ready();
    expect(urls).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(/^connect_failed: .*"nonsense" is not the address of a server/),
    ]);
    loop.close();
    await Promise.all([first.stop(), second.stop()]);
  });

  it('names the option that cannot work', () => {
    expect(() =>
      connect('ws://127.0.0.1/ws', { WebSocket, backoff: { capMs: Number.NaN } }),
    ).toThrow('The option "capMs" must be a number of at least 0, not NaN.');
    expect(() => connect('ws://127.0.0.1/ws', { WebSocket, requestTimeoutMs: -1 })).toThrow(
      /"requestTimeoutMs"/,
    );
  });

  it('adds the connection id to the query, and keeps what is there', () => {
    expect(socketAddress('wss://app.example/ws?v=2#part', 'a b')).toBe(
      'wss://app.example/ws?v=2&connectionId=a+b',
    );
  });

  it('takes the address of a page, and a path on a page', () => {
    expect(socketAddress('https://app.example/ws', '1')).toBe(
      'wss://app.example/ws?connectionId=1',
    );
    browser.location = { href: 'http://app.example/page?q=1' };
    expect(socketAddress('/ws', '1')).toBe('ws://app.example/ws?connectionId=1');
  });
});
