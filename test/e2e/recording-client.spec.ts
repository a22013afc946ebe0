import { Injectable } from '@nestjs/common';
import { EventBus, OnLoopSubscribe } from '../../lib/index.js';
import { checkDelivery, RecordingClient, RecordingPublisher } from '../../lib/testing/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

let publisher: RecordingPublisher;

@Injectable()
class Busy {
  constructor(bus: EventBus) {
    publisher = new RecordingPublisher(bus, 'p', { isDurable: () => true });
  }

  @OnLoopSubscribe()
  async subscribed(): Promise<void> {
    await publisher.toChannel('chat:afterTheGrant');
  }
}

it('notes where a topic begins also when the answer comes behind its first event', async () => {
  const { url } = await startLoopApp({
    providers: [Busy],
    options: {
      services: { chat: { history: { size: 10, ttlMs: 60_000 } } },
      defaultSubscriptions: [],
      authorize: async () => {
        await publisher.toChannel('chat:beforeTheGrant');
        return true;
      },
    },
  });
  const client = new RecordingClient({ accountId: 'acme', connectionId: 'phone' });
  await client.connect(url);
  const { sightings } = client.diary;
  const ofTopic = sightings.filter((one) => 'topic' in one && one.topic === 'service:chat');
  expect(ofTopic.map(({ kind }) => kind)).toEqual(['event', 'began']);
  const topicsOf = (): string[] => ['account:acme', 'service:chat'];
  expect(checkDelivery(publisher.published, [client.diary], { topicsOf }).findings).toEqual([]);
});
