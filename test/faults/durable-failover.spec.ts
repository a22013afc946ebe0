import {
  comeBack,
  dataOf,
  gets,
  HEALING_MS,
  resetsOf,
  storyOf,
  subscribe,
} from '../support/durable-client.js';
import { durableTest } from '../support/durable-test.js';
import { eventually } from '../support/eventually.js';
import { upTo } from '../support/numbers.js';
import { SentinelGroup } from '../support/sentinel-group.js';

const { startServers } = durableTest();

describe('durable pushes when writes are lost in a failover', () => {
  it('P3: a client that has events which no longer exist is told to reload, never that it has resumed', async () => {
    const group = await SentinelGroup.start();
    const { server, push } = await startServers(group.options);
    const client = await server.client('acme', { connectionId: 'phone' });
    const kept = await push('kept');
    group.losesWrites();
    const phantoms = upTo(5).map((n) => `phantom ${n}`);
    let last = kept;
    for (const phantom of phantoms) last = await push(phantom);
    await gets(client, phantoms.at(-1));
    await client.close();
    await group.master.kill();
    await group.failedOver();
    // As many as were lost, and more: the numbers of the lost ones are given again.
    for (const n of upTo(10)) await push(`new ${n}`);
    const back = await comeBack(server);
    const answer = await subscribe(back, { account: last });
    expect(answer.resumed).toEqual({});
    expect(Object.keys(answer.reset!)).toEqual(['account']);
    await back.close();
  }, 60_000);

  it('P3: so is a client that never saw the lost events, although they were confirmed', async () => {
    const group = await SentinelGroup.start();
    const { server, push } = await startServers(group.options);
    const client = await server.client('acme', { connectionId: 'phone' });
    const kept = await push('kept');
    await gets(client, 'kept');
    await client.close();
    group.losesWrites();
    await push('lost');
    await group.master.kill();
    await group.failedOver();
    await push('new');
    const back = await comeBack(server);
    const answer = await subscribe(back, { account: kept });
    const isTold = (): boolean =>
      'account' in (answer.reset ?? {}) || resetsOf(back).includes('account');
    await eventually('it is told', isTold);
    expect(dataOf(back)).not.toContain('lost');
  }, 60_000);

  it('P3: a failover that loses nothing resets nobody', async () => {
    const group = await SentinelGroup.start();
    const { server, push } = await startServers(group.options);
    const client = await server.client('acme', { connectionId: 'phone' });
    for (const n of upTo(5)) await push(n);
    await group.failOver();
    await group.failedOver();
    await eventually(
      'the new master is used',
      async () => {
        const [, hearing] = await group.replica.command<[string, number]>(
          'PUBSUB',
          'NUMSUB',
          '{lw}everyone',
        );
        return hearing === 2;
      },
      HEALING_MS,
    );
    await push('after');
    await gets(client, 'after');
    expect(dataOf(client)).toEqual([...upTo(5), 'after']);
    expect(resetsOf(client)).toEqual([]);
  }, 60_000);

  it('P3: one that stays connected is told as well', async () => {
    const group = await SentinelGroup.start();
    const { server, push } = await startServers(group.options);
    const client = await server.client('acme');
    await push('kept');
    group.losesWrites();
    await push('phantom');
    await gets(client, 'phantom');
    await group.master.kill();
    await group.failedOver();
    await push('new');
    await eventually('it is told', () => storyOf(client).includes('reset'));
    await push('after');
    await gets(client, 'after');
    const story = storyOf(client);
    expect(story.slice(0, 3)).toEqual(['kept', 'phantom', 'reset']);
    expect(story.at(-1)).toBe('after');
  }, 60_000);
});
