import { jest } from '@jest/globals';
import { DurableDelivery } from '../../lib/bus/durable-delivery.js';
import { LocalDelivery } from '../../lib/bus/local-delivery.js';
import { Replay } from '../../lib/bus/replay.js';
import {
  checkDelivery,
  MemoryCluster,
  RecordingClient,
  RecordingPublisher,
  type Verdict,
} from '../../lib/testing/index.js';
import { MemoryLog } from '../../lib/transport/memory/memory-log.js';
import type { PlacedPush } from '../../lib/transport/topic-history.js';
import type { PushMessage } from '../../lib/transport/transport-message.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';

const SIZE = 40;
const ACCOUNTS = ['acme', 'globex'];
const DEVICES = ['phone', 'tablet'];
const isDurable = (name: string): boolean => name.startsWith('chat:');

let servers: LoopApp[];
let publishers: RecordingPublisher[];
let clients: RecordingClient[];

beforeEach(async () => {
  const cluster = new MemoryCluster();
  const services = { chat: { history: { size: SIZE, ttlMs: 60_000 } }, live: {} };
  servers = await Promise.all(
    ['a', 'b'].map((serverId) =>
      startLoopApp({
        options: {
          serverId,
          services,
          transport: cluster.transport(),
          presence: cluster.presence(),
        },
      }),
    ),
  );
  publishers = servers.map(
    ({ bus }, at) => new RecordingPublisher(bus, `p${at}`, { isDurable, repeats: 3 }),
  );
  clients = ACCOUNTS.flatMap((accountId) =>
    DEVICES.map((connectionId) => new RecordingClient({ accountId, connectionId })),
  );
  await Promise.all(clients.map((client, at) => client.connect(servers[at % 2]!.url)));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
});

/** Each publisher to each account, and to all, in call order. */
async function publish(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      publishers.flatMap((publisher) => [
        ...ACCOUNTS.map((account) => publisher.toAccount(account, 'chat:n')),
        publisher.toChannel('chat:all'),
        publisher.toAccount('acme', 'live:n'),
      ]),
    );
  }
}

/** One client misses some, and comes back to the other server. */
async function publishWhileOneIsAway(rounds: number): Promise<void> {
  const [away] = clients;
  await publish(2);
  await away!.catchUp(); // what is under way to it would be missed as well
  await away!.drop();
  await publish(rounds);
  await away!.connect(servers[1]!.url);
  await publish(2);
}

/** Of what was pushed until now. */
async function verdict(): Promise<Verdict> {
  const published = publishers.flatMap((publisher) => publisher.published);
  await Promise.all(clients.map((client) => client.catchUp()));
  return checkDelivery(
    published,
    clients.map(({ diary }) => diary),
  );
}

const kindsOf = ({ findings }: Verdict): string[] =>
  findings.map(({ kind, client, publisher, number }) => `${kind} ${client} ${publisher} ${number}`);

it('P1, P2, P3: nothing is lost, doubled or reordered while clients come and go', async () => {
  await publishWhileOneIsAway(5);
  const { findings, deliveries, resumes, resets } = await verdict();
  expect(findings).toEqual([]);
  expect({ resumes, resets }).toEqual({ resumes: 1, resets: 0 });
  // Per round each publisher's 2 to all four and 1 to each account's two, and for whoever was there the one without history.
  expect(deliveries).toBe(9 * 2 * (4 + 2 * 2) + 9 * 2 * 2 - 5 * 2);
});

it('P3: what is lost is named by a reset, and is no finding', async () => {
  await publishWhileOneIsAway(SIZE);
  const { findings, resets } = await verdict();
  expect(findings).toEqual([]);
  expect(resets).toBe(2);
});

describe('the checker', () => {
  /** Breaks the second event for `globex/tablet` on its server. */
  function breakDelivery(
    breakage: (deliver: (push: PlacedPush) => void, push: PlacedPush, count: number) => void,
  ): void {
    const delivery = servers[1]!.get(DurableDelivery);
    const deliver = delivery.deliver.bind(delivery);
    let count = 0;
    jest.spyOn(delivery, 'deliver').mockImplementation((topic, push) => {
      if (topic.name !== 'globex') return deliver(topic, push);
      const reply = { delivered: 1, filtered: 0, failed: 0 };
      breakage((one) => deliver(topic, one), push, ++count);
      return reply;
    });
  }

  /** Breaks what comes without history to an account of the second server. */
  function breakLiveDelivery(
    breakage: (deliver: (push: PushMessage) => void, push: PushMessage) => void,
  ): void {
    const delivery = servers[1]!.get(LocalDelivery);
    const deliver = delivery.deliver.bind(delivery);
    jest.spyOn(delivery, 'deliver').mockImplementation((push) => {
      breakage(deliver, push);
      return { delivered: 1, filtered: 0, failed: 0 };
    });
  }

  const toGlobex = <Push extends PushMessage>(push: Push): Push => ({
    ...push,
    target: { kind: 'account', accountId: 'globex' },
  });

  it('names an event that was dropped', async () => {
    breakDelivery((deliver, push, count) => (count === 2 ? undefined : deliver(push)));
    await publish(3);
    const { findings } = await verdict();
    expect(kindsOf({ findings } as Verdict)).toEqual(['lost globex/tablet p1 2']);
    expect(findings[0]!.place).toMatch(
      /^globex\/tablet, account:globex: p1 2 \(.+\) lost, missing between /,
    );
  });

  it('names an event that was dropped at the end', async () => {
    breakDelivery((deliver, push, count) => (count === 6 ? undefined : deliver(push)));
    await publish(3);
    expect(kindsOf(await verdict())).toEqual(['lost globex/tablet p1 10']);
  });

  it('names two events that were swapped', async () => {
    let kept: PlacedPush | undefined;
    breakDelivery((deliver, push, count) => {
      if (count === 2) kept = push;
      else deliver(push);
      if (count === 3) deliver(kept!);
    });
    await publish(3);
    expect(kindsOf(await verdict())).toEqual(['reordered globex/tablet p1 2']);
  });

  it('names an event that came twice', async () => {
    breakDelivery((deliver, push, count) => {
      deliver(push);
      if (count === 2) deliver(push);
    });
    await publish(3);
    expect(kindsOf(await verdict())).toEqual(['doubled globex/tablet p1 2']);
  });

  it('names an event that came to another account, with history or without', async () => {
    breakLiveDelivery((deliver, push) => deliver(toGlobex(push)));
    await publish(1);
    const names = ['unexplained globex/tablet p0 4', 'unexplained globex/tablet p1 4'];
    expect(kindsOf(await verdict())).toEqual(names);
    const delivery = servers[1]!.get(DurableDelivery);
    const deliver = delivery.deliver.bind(delivery);
    jest
      .spyOn(delivery, 'deliver')
      .mockImplementation(({ kind, name }, push) =>
        name === 'acme'
          ? deliver({ kind: 'account', name: 'globex' }, toGlobex(push))
          : deliver({ kind, name }, push),
      );
    await publishers[0]!.toAccount('acme', 'chat:n');
    const found = kindsOf(await verdict());
    expect(found).toContain('lost acme/tablet p0 5');
    expect(found).toContain('unexplained globex/tablet p0 5');
  });

  it('names an event of unknown outcome that one device got and the other did not', async () => {
    breakDelivery((deliver, push, count) => (count === 2 ? undefined : deliver(push)));
    const { bus } = servers[0]!;
    const push = bus.pushToAccount.bind(bus);
    const [publisher] = (publishers = [new RecordingPublisher(bus, 'p0', { isDurable })]);
    await publisher!.toAccount('globex', 'chat:n');
    jest.spyOn(bus, 'pushToAccount').mockImplementationOnce(async (...args) => {
      const { position: _, ...report } = await push(...args);
      return report;
    });
    await publisher!.toAccount('globex', 'chat:n');
    expect(publisher!.published[1]).toMatchObject({ outcome: 'unknown' });
    expect(kindsOf(await verdict())).toEqual(['lost globex/tablet p0 2']);
  });

  it('names an event at a place that it was not given', async () => {
    breakDelivery((deliver, push, count) => {
      const { position } = push.place;
      const elsewhere = { ...push.place, position: { ...position, id: 'elsewhere' } };
      deliver(count === 2 ? { ...push, place: elsewhere } : push);
    });
    await publish(2);
    expect(kindsOf(await verdict())).toEqual(['unexplained globex/tablet p1 2']);
  });

  it('names an event without history that came too late', async () => {
    const held: (() => void)[] = [];
    breakLiveDelivery((deliver, push) => void held.push(() => deliver(push)));
    const [publisher] = (publishers = [
      new RecordingPublisher(servers[0]!.bus, 'p0', { isDurable, ttlMs: 10_000 }),
    ]);
    await publisher!.toAccount('acme', 'live:n');
    await clients[0]!.catchUp(); // the phone, whose server delivers in time
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + 60_000);
    for (const deliver of held) deliver();
    expect(kindsOf(await verdict())).toEqual(['late acme/tablet p0 1']);
  });

  it('names an event that was dropped for a client that was not told of its topics', async () => {
    jest.spyOn(servers[1]!.get(Replay), 'positionsOf').mockReturnValue(new Map());
    const watch = new RecordingClient({ accountId: 'globex', connectionId: 'watch' });
    clients = [watch];
    await watch.connect(servers[1]!.url);
    breakDelivery((deliver, push, count) => (count === 2 ? undefined : deliver(push)));
    await publish(2);
    expect(kindsOf(await verdict())).toEqual(['lost globex/watch p1 2']);
  });

  it('names an event that nobody published', async () => {
    await publish(1);
    const made = { publisher: 'nobody', number: 1 };
    await servers[0]!.bus.pushToConnection('acme', 'phone', 'chat:n', made);
    expect(kindsOf(await verdict())).toEqual(['unexplained acme/phone nobody 1']);
  });

  it('names an event that a replay left out', async () => {
    const since = MemoryLog.prototype.since;
    jest.spyOn(MemoryLog.prototype, 'since').mockImplementation(function (
      this: MemoryLog,
      ...args
    ) {
      return since.apply(this, args)?.filter(({ name }, at) => name !== 'chat:n' || at !== 2);
    });
    await publishWhileOneIsAway(4);
    expect(kindsOf(await verdict())).toEqual(['lost acme/phone p0 13']);
  });

  it('names everything behind a reset that was not told', async () => {
    const replay = servers[1]!.get(Replay);
    const run = replay.run.bind(replay);
    jest.spyOn(replay, 'run').mockImplementation((connection, resumption) =>
      run(connection, {
        ...resumption,
        tell: (changed, answer) => resumption.tell(changed, { ...answer, reset: {} }),
      }),
    );
    await publishWhileOneIsAway(SIZE);
    const { findings } = await verdict();
    // Both publishers' events to the account and to all, of every round that it was away.
    expect(findings.map(({ kind }) => kind)).toEqual(Array(SIZE * 4).fill('lost'));
  });
});
