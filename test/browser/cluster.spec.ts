import { createConnection } from 'node:net';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { findChromium } from '../support/find-chromium.js';
import { NotificationsPage } from './notifications-page.js';
import { isRunning, SampleCluster } from './sample-cluster.js';

const PREPARATION_MS = 240_000;
const PATIENCE_MS = 5_000;
/** A killed server is noticed within 8 s; the page looks again every 2 s. */
const SETTLED_MS = 12_000;

const cluster = new SampleCluster();
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  await cluster.start();
  browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  context.setDefaultTimeout(PATIENCE_MS);
}, PREPARATION_MS);

afterAll(async () => {
  await browser?.close();
  await cluster.stop();
});

async function visit(server: string): Promise<NotificationsPage> {
  const page = new NotificationsPage(await context.newPage());
  await page.visit(cluster.urls.get(server)!);
  return page;
}

/** What the page says of who is online: the devices of an account, each with its server. */
async function devicesOf(page: NotificationsPage, account: string): Promise<string> {
  const line = page.panel('Who is online').getByRole('listitem').filter({ hasText: account });
  return line.locator('.devices').innerText();
}

it('P2: invoices of two servers are two events, however each server numbers them', async () => {
  const page = await visit('server-1');
  await page.open('umbrella', 'phone');
  for (const server of ['server-1', 'server-2']) {
    const invoices = `${cluster.urls.get(server)!}/invoices`;
    const { invoice } = await post(invoices, { accountId: 'umbrella', cents: 100 });
    await post(`${invoices}/${invoice.invoiceId}/pay`, {});
    await page.received('umbrella', 'phone', 'billing:invoice.paid', invoice.invoiceId).waitFor();
  }
  expect(await page.received('umbrella', 'phone', 'billing:invoice.paid', 'inv-1').count()).toBe(2);
});

it('P7: pages of several servers see each other, and survive the kill of one of them', async () => {
  const [one, two] = [await visit('server-1'), await visit('server-2')];
  await one.open('acme', 'phone');
  await two.open('globex', 'till');
  const phone = one.card('acme', 'phone');
  const server = (await phone.getByText(/^on server-\d$/).innerText()).replace('on ', '');
  await eventually('each page sees the other device and its server', async () => {
    const [seenByTwo, seenByOne] = [await devicesOf(two, 'acme'), await devicesOf(one, 'globex')];
    return seenByTwo === `phone on ${server}` && /^till on server-\d$/.test(seenByOne);
  });
  const pushed = await two.push('Account', { account: 'acme' });
  expect(pushed.word).toBe('1 delivered');
  expect(JSON.parse(pushed.json)).toMatchObject({ result: { complete: true } });

  cluster.kill(server);
  await eventually(
    'the phone is on another server, and only there',
    async () => {
      const devices = await devicesOf(two, 'acme').catch(() => '');
      return /^phone on server-\d$/.test(devices) && devices !== `phone on ${server}`;
    },
    SETTLED_MS,
  );
  await eventually(
    'the dead server is not waited for any more',
    async () => {
      const { word, json } = await two.push('Account', { account: 'acme' });
      return word === '1 delivered' && JSON.parse(json).result.complete === true;
    },
    SETTLED_MS,
  );
}, 60_000);

describe('npm run start:cluster', () => {
  it('says what to install where there is no Redis', async () => {
    const lonely = new SampleCluster();
    const ended = await lonely.launch({ PATH: '/nowhere' });
    expect(await ended()).toBe(1);
    expect(lonely.output).toMatch(/need a Redis\. Install one .* REDIS_URL=redis:/);
  });

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGKILL'])(
    'leaves no Redis behind after %s, and no server',
    async (signal) => {
      const own = new SampleCluster();
      await own.start();
      const url = /Redis: (\S+)/.exec(own.output)![1]!;
      await own.stop(signal);
      await eventually('all servers are gone', () => ![...own.pids.values()].some(isRunning));
      await eventually('Redis is gone', async () => !(await canConnect(url)));
      expect(own.pids.size).toBe(3);
    },
    60_000,
  );
});

async function post(url: string, body: object): Promise<{ invoice: { invoiceId: string } }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as { invoice: { invoiceId: string } };
}

function canConnect(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), hostname);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
