import { jest } from '@jest/globals';
import type { LoopStorage } from '../../../lib/client/index.js';
import { eventually } from '../../support/eventually.js';
import { reactions, ScriptedServer, type WireFrame } from './scripted-server.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
  server.welcome = { positions: { account: '5.a' } };
});

afterEach(() => server.stop());

function storageWith(text: string | null): LoopStorage & { text: string | null } {
  return {
    text,
    getItem() {
      return this.text;
    },
    setItem(_key, value) {
      this.text = value;
    },
  };
}

it('P3: positions of the page before are asked for', async () => {
  const asked: WireFrame['since'][] = [];
  server.react = (frame, peer) => {
    if (frame.since === undefined) return reactions.friendly(frame, peer);
    asked.push(frame.since);
    peer.send({ op: 'ok', id: frame.id!, resumed: { account: 0 } });
  };
  const { loop } = server.client({ storage: storageWith('["acme",[["account","3.a"]]]') });
  loop.on('chat:*', () => {});
  await loop.ready();

  expect(asked).toEqual([{ account: '3.a' }]);
});

it('a position of a service whose handler comes later is not asked for, as documented', async () => {
  const asked: WireFrame['since'][] = [];
  server.react = (frame, peer) => {
    if (frame.since === undefined) return reactions.friendly(frame, peer);
    asked.push(frame.since);
    peer.send({ op: 'ok', id: frame.id!, resumed: { account: 0 } });
  };
  const storage = storageWith('["acme",[["account","3.a"],["service:chat","3.a"]]]');
  const { loop, errors } = server.client({ storage });
  loop.on('billing:*', () => {});
  await loop.ready();
  loop.on('chat:*', () => {});
  await loop.ready();

  expect(asked).toEqual([{ account: '3.a' }]);
  expect(errors.all).toEqual([]);
});

it.each([
  ['is no JSON', '{'],
  ['is of something else', '{"what":"of another version"}'],
  ['has a position that is no text', '["acme",[["account",5]]]'],
  ['has a topic that is no text', '["acme",[[5,"3.a"]]]'],
  ['has a topic that is none', '["acme",[["account","3.a"],null]]'],
])('what %s is told once, left out and overwritten', async (_what, text) => {
  const storage = storageWith(text);
  const asked: WireFrame[] = [];
  server.react = (frame, peer) => {
    if (frame.since !== undefined) asked.push(frame);
    reactions.friendly(frame, peer);
  };
  const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  const { loop, errors, nextError } = server.client({ storage });
  loop.on('chat:*', () => {});
  await nextError('storage_failed');
  await loop.ready();
  await eventually('the storage is overwritten', () => storage.text !== text);

  expect(storage.text).toBe('["acme",[["account","5.a"]]]');
  expect(errors.all).toHaveLength(1);
  expect(printed).not.toHaveBeenCalled();
  expect(asked).toEqual([]);
  printed.mockRestore();
});

it('a storage that is asynchronous and fails leaves no rejection behind', async () => {
  const rejected: unknown[] = [];
  const listener = (reason: unknown): void => void rejected.push(reason);
  process.on('unhandledRejection', listener);
  const setItem = jest.fn(() => Promise.reject(new Error('full')));
  const { loop, errors, nextError } = server.client({ storage: { getItem: () => null, setItem } });
  loop.on('chat:*', () => {});
  await nextError('storage_failed');
  const peer = await server.nextPeer();
  peer.send({ op: 'positions', topics: { account: '6.a' } });
  await eventually('it is written again', () => setItem.mock.calls.length === 2);
  await loop.ping();
  process.off('unhandledRejection', listener);

  expect(rejected).toEqual([]);
  expect(errors.all).toHaveLength(1);
});
