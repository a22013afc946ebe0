import { EventBus, LoopPushError } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

describe('push options', () => {
  it('P2: delivers a repeated id once and answers the repetition with the first result', async () => {
    const { bus, client } = await startLoopApp();
    const one = await client();
    const first = await bus.pushToAccount('acme', 'billing:invoice.paid', 1, { id: 'paid-1' });
    const again = await bus.pushToAccount('acme', 'billing:invoice.paid', 1, { id: 'paid-1' });
    const other = await bus.pushToAccount('acme', 'billing:invoice.paid', 2, { id: 'paid-2' });
    expect([first.delivered, again, other.delivered]).toEqual([1, first, 1]);
    expect(await one.next('billing:invoice.paid')).toBe(1);
    expect(await one.next('billing:invoice.paid')).toBe(2);
  });

  it('P2: delivers a repeated id whose first push reached nobody', async () => {
    const { bus, client } = await startLoopApp();
    const push = () => bus.pushToConnection('acme', 'phone', 'chat:n', 1, { id: 'retry' });
    expect(await push()).toBe('not_connected');
    const phone = await client('acme', { connectionId: 'phone' });
    expect(await push()).toBe('delivered');
    expect(await push()).toBe('delivered');
    await phone.ask({ op: 'ping' });
    expect(phone.frames.filter((frame) => 'event' in frame)).toHaveLength(1);
  });

  it('P5: without a receipt the result is what this server did, and is not called complete', async () => {
    const { bus, client } = await startLoopApp();
    await client();
    expect(await bus.pushToAccount('acme', 'chat:n', 1, { receipt: false })).toMatchObject({
      delivered: 1,
      complete: false,
      why: 'no_receipt',
    });
    expect(await bus.pushToConnection('acme', 'nobody', 'chat:n', 1, { receipt: false })).toBe(
      'unknown',
    );
  });
});

describe('a push that cannot be made', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const thrower = {
    get bad(): never {
      throw new Error('getter');
    },
  };

  it.each([
    ['a circular payload', 'billing:x', circular, /serialized as JSON/],
    ['a BigInt', 'billing:x', 1n, /serialized as JSON/],
    ['a getter that throws', 'billing:x', thrower, /serialized as JSON.*getter/],
    ['a name without a colon', 'nocolon', 1, /not a full event name/],
    ['a wildcard name', 'billing:*', 1, /not a full event name/],
    ['a name that is a BigInt', 10n as never, 1, /^10n is not a full event name/],
    ['a service that is not declared', 'crm:x', 1, /"crm".*not declared/],
    ['a payload above maxEventBytes', 'billing:x', 'x'.repeat(300_000), /maxEventBytes/],
  ])(
    'rejects %s, delivers nothing, and the next push works',
    async (_what, name, data, message) => {
      const { bus, client } = await startLoopApp();
      const one = await client();
      const push = bus.pushToAccount('acme', name as 'billing:x', data);
      await expect(push).rejects.toThrow(LoopPushError);
      await expect(push).rejects.toThrow(message);
      await bus.pushToAccount('acme', 'billing:next', 'fine');
      expect(await one.next('billing:next')).toBe('fine');
      expect(one.frames.filter((frame) => 'event' in frame)).toHaveLength(1);
    },
  );
});

describe('an argument that types would have refused', () => {
  it.each([
    [
      'an account id that is not a string',
      (bus: EventBus) => bus.pushToAccount(42 as never, 'chat:n', 1),
      /accountId is of type number.*String\(id\)/,
    ],
    [
      'an empty connection id',
      (bus: EventBus) => bus.pushToConnection('a', '', 'chat:n', 1),
      /connectionId is empty; pass a non-empty string\.$/,
    ],
    [
      'a room that is missing',
      (bus: EventBus) => bus.pushToRoom(undefined as never, 'chat:n', 1),
      /room is of type undefined/,
    ],
    [
      'a room whose name is half a surrogate pair',
      (bus: EventBus) => bus.pushToRoom('lobby\ud800', 'chat:n', 1),
      /half a surrogate pair.*isWellFormed/,
    ],
    [
      'a room whose name is too long',
      (bus: EventBus) => bus.pushToRoom('r'.repeat(129), 'chat:n', 1),
      /has 129 characters, more than config.maxIdLength \(128\)/,
    ],
    [
      'a ttl of nothing',
      (bus: EventBus) => bus.pushToChannel('chat:n', 1, { ttlMs: 0 }),
      /ttlMs is 0/,
    ],
    [
      'a ttl that no timer can hold',
      (bus: EventBus) => bus.pushToChannel('chat:n', 1, { ttlMs: 3e9 }),
      /ttlMs is 3000000000.*at most 2147483647/,
    ],
    [
      'an account to disconnect that is not a string',
      (bus: EventBus) => bus.disconnect(42 as never),
      /accountId is of type number.*String\(id\)/,
    ],
    [
      'a connection to disconnect that is not a string',
      (bus: EventBus) => bus.disconnect('a', 7n as never),
      /connectionId is of type bigint/,
    ],
    [
      'a close code below every range',
      (bus: EventBus) => bus.disconnect('a', 'b', -1),
      /code is -1.*3000 to 4999/,
    ],
    [
      'a close code beyond every range',
      (bus: EventBus) => bus.disconnect('a', 'b', 2 ** 32),
      /code is 4294967296/,
    ],
    [
      'a close reason that is not a string',
      (bus: EventBus) => bus.disconnect('a', 'b', 4000, { why: 'x' } as never),
      /reason is of type object/,
    ],
    [
      'a timeout that is no number',
      (bus: EventBus) => bus.ask('a', 'b', 'chat:n', 1, { timeoutMs: NaN }),
      /timeoutMs is NaN/,
    ],
  ])('%s is told to the caller', async (_what, call, message) => {
    const { bus } = await startLoopApp();
    await expect(call(bus)).rejects.toThrow(message);
  });
});

describe('pushEvent and pushEventStrict', () => {
  it('take service and event apart; pushEvent makes texts of ids, pushEventStrict insists on them', async () => {
    const { bus, client } = await startLoopApp();
    const one = await client('42', { connectionId: '7' });
    expect(await bus.pushEvent(42, 7n, 'billing', 'invoice.paid', { id: 1 })).toBe('delivered');
    expect(await bus.pushEventStrict('42', '7', 'billing', 'invoice.paid', { id: 2 })).toBe(
      'delivered',
    );
    await expect(bus.pushEventStrict(42 as never, '7', 'billing', 'x', {})).rejects.toThrow(
      /use pushEvent/,
    );
    expect(await one.next('billing:invoice.paid')).toEqual({ id: 1 });
    expect(await one.next('billing:invoice.paid')).toEqual({ id: 2 });
  });
});
