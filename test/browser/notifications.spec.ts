import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { findChromium } from '../support/find-chromium.js';
import { NotificationsPage } from './notifications-page.js';
import { SampleServer } from './sample-server.js';

/** On a machine without Chromium it is installed first. */
const PREPARATION_MS = 240_000;
const PATIENCE_MS = 5_000;
/** A restarted server is found within the longest wait of the page's clients. */
const RETURN_MS = 15_000;

const server = new SampleServer();
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  await server.start();
  // Chromium's own sandbox needs privileges that containers rarely have; the page is ours.
  browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
}, PREPARATION_MS);

afterAll(async () => {
  await browser?.close();
  await server.stop();
});

beforeEach(async () => {
  context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
});

afterEach(() => context.close());

async function visit(): Promise<NotificationsPage> {
  const page = new NotificationsPage(await context.newPage());
  await page.visit(server.url);
  return page;
}

it('needs nothing from elsewhere and reports no problem', async () => {
  const hosts = new Set<string>();
  const problems: string[] = [];
  context.on('request', (request) => hosts.add(new URL(request.url()).host));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(error.error().message));
  const page = await visit();
  await page.page.getByRole('button', { name: 'Open three examples' }).click();
  for (const [account, device] of [
    ['acme', 'phone'],
    ['acme', 'laptop'],
    ['globex', 'till'],
  ] as const) {
    await page.reaches(page.card(account, device), 'Open');
  }
  expect([...hosts]).toEqual([new URL(server.url).host]);
  expect(problems).toEqual([]);
});

it('subscribes and unsubscribes, and shows what the server refuses', async () => {
  const page = await visit();
  const card = await page.open('initech', 'phone');
  await card.getByText('billing:*').waitFor();

  await page.subscribe(card, 'shipping:*');
  await card.getByText('shipping:*: This server has no such service. (unknown_service)').waitFor();
  await page.subscribe(card, '*:invoice.paid');
  await card.getByText('*:invoice.paid: This connection may not').waitFor();
  await page.subscribe(card, 'not a pattern');
  await card.getByText('"not a pattern" is not a pattern').waitFor();
  expect(await card.getByRole('button', { name: /^Unsubscribe/ }).count()).toBe(2);

  const message = { room: 'lobby', text: 'first', from: 'test' };
  const target = { account: 'initech', device: 'phone', event: 'chat:message.posted' };
  await card.getByRole('button', { name: 'Unsubscribe chat:*' }).click();
  expect((await page.push('Connection', { ...target, data: message })).word).toBe('filtered');

  await page.subscribe(card, 'chat:message.*');
  await card.getByRole('button', { name: 'Unsubscribe chat:message.*' }).waitFor();
  await page.subscribe(card, 'chat:*');
  await card.getByRole('button', { name: 'Unsubscribe chat:*' }).waitFor();
  const second = { ...message, text: 'second' };
  expect((await page.push('Connection', { ...target, data: second })).word).toBe('delivered');
  const line = page.received('initech', 'phone', 'chat:message.posted', 'second');
  await line.getByText('matched by chat:* and chat:message.*').waitFor();
  expect(await line.count()).toBe(1);
  expect(await page.received('initech', 'phone', 'chat:message.posted', 'first').count()).toBe(0);
});

it('pushes to a connection, an account, a room and a channel', async () => {
  const page = await visit();
  const phone = await page.open('hooli', 'phone');
  await page.open('hooli', 'laptop');
  const till = await page.open('vandelay', 'till');
  await page.join(phone, 'sales');
  await page.join(till, 'sales');

  const paid = (invoiceId: string) => ({
    event: 'billing:invoice.paid',
    data: { invoiceId, cents: 100 },
  });
  const toPhone = await page.push('Connection', {
    account: 'hooli',
    device: 'phone',
    ...paid('i-1'),
  });
  expect(toPhone).toEqual({ word: 'delivered', json: '{\n  "result": "delivered"\n}' });
  const toNobody = await page.push('Connection', { device: 'watch', ...paid('i-2') });
  expect(toNobody.word).toBe('not_connected');

  const toAccount = await page.push('Account', { ...paid('i-3') });
  expect(toAccount.word).toBe('2 delivered');
  expect(JSON.parse(toAccount.json)).toEqual({
    result: {
      delivered: 2,
      filtered: 0,
      failed: 0,
      servers: { expected: 1, answered: 1 },
      complete: true,
    },
  });

  const said = { room: 'sales', text: 'offer', from: 'test' };
  const toRoom = await page.push('Room', {
    room: 'sales',
    event: 'chat:message.posted',
    data: said,
  });
  expect(toRoom.word).toBe('2 delivered');

  const changed = { plan: 'team', cents: 1 };
  const toChannel = await page.push('Channel', { event: 'billing:price.changed', data: changed });
  expect(toChannel.word).toBe('3 delivered');

  const [one, three] = [paid('i-1').data, paid('i-3').data];
  for (const [account, device, expected] of [
    ['hooli', 'phone', [one, three, said, changed]],
    ['hooli', 'laptop', [three, changed]],
    ['vandelay', 'till', [said, changed]],
  ] as const) {
    // The channel's event came last, so whatever is not there by now never came.
    await page.received(account, device, 'billing:price.changed', 'team').waitFor();
    expect(await page.payloads(account, device)).toEqual(expected);
  }
});

it('explains what the server refuses to push', async () => {
  const page = await visit();
  const wrong = await page.push('Account', {
    account: 'hooli',
    event: 'billing:invoice.paid',
    data: { cents: -1 },
  });
  expect(wrong.word).toBe('refused with 400');
  expect(wrong.json).toContain('data.invoiceId');
});

it('speaks in a room, but not in one that was left', async () => {
  const page = await visit();
  const phone = await page.open('stark', 'phone');
  const laptop = await page.open('stark', 'laptop');
  await page.join(phone, 'lab');
  await page.join(laptop, 'lab');
  await phone.getByLabel('Message').fill('hello lab');
  await phone.getByRole('button', { name: 'Send' }).click();
  await page.received('stark', 'laptop', 'chat:message.posted', 'hello lab').waitFor();
  await page.received('stark', 'phone', 'chat:message.posted', '"from": "stark/phone"').waitFor();

  await laptop.getByRole('button', { name: 'Leave lab' }).click();
  await laptop.getByRole('button', { name: 'Leave lab' }).waitFor({ state: 'detached' });
  expect((await page.push('Room', { room: 'lab', event: 'chat:message.posted' })).word).toBe(
    '1 delivered',
  );
  await page.join(laptop, 'lab');
  await laptop.getByLabel('Room to join').fill('Not A Room');
  await laptop.getByRole('button', { name: 'Join' }).click();
  await laptop.getByText('(invalid_payload)').waitFor();
});

it('asks a device, which may answer, refuse or stay silent', async () => {
  const page = await visit();
  const phone = await page.open('wayne', 'phone');
  const mood = phone.getByLabel('Asked for its status');
  const target = { account: 'wayne', device: 'phone', timeoutMs: 2_000 };

  await mood.selectOption('busy');
  const answered = await page.push('Ask', target);
  expect(answered.word).toBe('answered');
  expect(JSON.parse(answered.json)).toEqual({ answer: { status: 'busy' } });

  await mood.selectOption('refuse');
  expect((await page.push('Ask', target)).word).toBe('refused');
  await mood.selectOption('silent');
  expect((await page.push('Ask', { ...target, timeoutMs: 100 })).word).toBe('timeout');
  await phone.getByRole('button', { name: 'Unsubscribe device:status.get' }).click();
  expect((await page.push('Ask', target)).word).toBe('filtered');
  expect((await page.push('Ask', { ...target, device: 'watch' })).word).toBe('not_connected');
});

it('bills an account, whose devices hear of it', async () => {
  const page = await visit();
  await page.open('umbrella', 'phone');
  const billing = page.panel('Billing');
  await billing.getByLabel('Account').fill('umbrella');
  await billing.getByRole('button', { name: 'Invoice' }).click();
  const invoice = billing.getByRole('listitem').filter({ hasText: 'umbrella' });
  await invoice.getByText('created, told 1 of its devices').waitFor();
  await page.received('umbrella', 'phone', 'billing:invoice.created', '4900').waitFor();
  await invoice.getByRole('button', { name: /^Pay/ }).click();
  await invoice.getByText('Paid', { exact: true }).waitFor();
  await page.received('umbrella', 'phone', 'billing:invoice.paid', '4900').waitFor();
  const invoiceId = expect.stringMatching(/^inv-\d+$/);
  expect(await page.payloads('umbrella', 'phone')).toEqual([
    { invoiceId, cents: 4900, description: 'Subscription' },
    { invoiceId, cents: 4900 },
  ]);
});

it('shows who comes online, with which devices, and who goes', async () => {
  const [watcher, page] = [await visit(), await visit()];
  await page.open('soylent', 'phone');
  const laptop = await page.open('soylent', 'laptop');
  const online = watcher.panel('Who is online');
  await online.getByText('soylent came online').waitFor();
  await online.getByText('phone, laptop', { exact: true }).waitFor();

  await laptop.getByRole('button', { name: 'Close' }).click();
  await page.reaches(laptop, 'Closed');
  await online.getByText('phone', { exact: true }).waitFor();
  await page.card('soylent', 'phone').getByRole('button', { name: 'Close' }).click();
  await online.getByText('soylent went offline').waitFor();
  // Once each, although there were two devices.
  expect(await online.getByText(/soylent (came online|went offline)/).allInnerTexts()).toEqual([
    'soylent went offline',
    'soylent came online',
  ]);
});

it('lets a second tab replace a connection, for good until it is opened again', async () => {
  const first = await visit();
  const replaced = await first.open('tyrell', 'phone');
  const second = await visit();
  const newer = await second.open('tyrell', 'phone');
  await first.reaches(replaced, 'Replaced');
  await replaced.getByText('(close code 4509)').waitFor();
  await first.page.bringToFront();
  const paid = { event: 'billing:invoice.paid', data: { invoiceId: 'r-1', cents: 1 } };
  expect((await first.push('Account', { account: 'tyrell', ...paid })).word).toBe('1 delivered');
  await second.received('tyrell', 'phone', 'billing:invoice.paid', 'r-1').waitFor();

  await first.reaches(replaced, 'Replaced');
  await replaced.getByRole('button', { name: 'Open again' }).click();
  await first.reaches(replaced, 'Open');
  await second.reaches(newer, 'Replaced');
});

it('comes through a restart of the server by itself, rooms and subscriptions included', async () => {
  const page = await visit();
  const cards = [await page.open('cyberdyne', 'phone'), await page.open('massive', 'till')];
  await page.join(cards[0]!, 'ops-room');
  await page.subscribe(cards[1]!, 'presence:account.*');
  await cards[1]!.getByRole('button', { name: 'Unsubscribe presence:account.*' }).waitFor();

  await server.stop();
  await page.page.getByText('The server went away.', { exact: true }).waitFor();
  for (const card of cards) {
    await page.reaches(card, 'Waiting');
    await card.getByText(/next try in \d\.\d s/).waitFor();
  }
  expect((await page.push('Account', { account: 'massive' })).word).toBe('unreachable');

  await server.start();
  for (const card of cards) await page.reaches(card, 'Open', RETURN_MS);
  await page.page.getByText('Live', { exact: true }).waitFor({ timeout: RETURN_MS });
  await page.page.locator('#online').getByText('massive', { exact: true }).waitFor();

  const paid = { event: 'billing:invoice.paid', data: { invoiceId: 'b-1', cents: 1 } };
  expect((await page.push('Account', { account: 'massive', ...paid })).word).toBe('1 delivered');
  await page.received('massive', 'till', 'billing:invoice.paid', 'b-1').waitFor();

  await cards[0]!.getByLabel('Message').fill('still here');
  await cards[0]!.getByRole('button', { name: 'Send' }).click();
  await page.received('cyberdyne', 'phone', 'chat:message.posted', 'still here').waitFor();

  await page.open('omni', 'phone');
  await page.received('massive', 'till', 'presence:account.online', 'omni').waitFor();
});
