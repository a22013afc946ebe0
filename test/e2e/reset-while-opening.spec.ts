import { Injectable } from '@nestjs/common';
import { DurableDelivery } from '../../lib/bus/durable-delivery.js';
import { type LoopConnection, OnLoopConnect } from '../../lib/index.js';
import { comeBack, resetsOf, subscribe } from '../support/durable-client.js';
import { deferred } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

const joined = deferred();
const admitted = deferred();

@Injectable()
class Lobby {
  @OnLoopConnect()
  async enter(connection: LoopConnection): Promise<void> {
    await connection.join('lobby');
    joined.resolve();
    await admitted.promise;
  }
}

afterEach(closeLoopApps);

it('P3: a loss that is noticed before the welcome is not told after it, where it would be of the topics of the welcome', async () => {
  const services = { chat: { history: { size: 10, ttlMs: 60_000 } } };
  const server = await startLoopApp({ options: { services }, providers: [Lobby] });
  const coming = comeBack(server);
  await joined.promise;
  server.get(DurableDelivery).reset({ kind: 'room', name: 'lobby' }, { n: 7, id: 'anew' });
  admitted.resolve();
  const client = await coming;
  const { positions } = client.welcome;
  expect(await subscribe(client, positions!)).toMatchObject({ reset: {} });
  expect(resetsOf(client)).toEqual([]);
});
