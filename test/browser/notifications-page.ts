import type { Locator, Page } from 'playwright-core';

type Kind = 'Connection' | 'Account' | 'Room' | 'Channel' | 'Ask';

interface PushOrder {
  readonly account?: string;
  readonly device?: string;
  readonly room?: string;
  readonly timeoutMs?: number;
  readonly event?: string;
  readonly data?: unknown;
}

/** The sample's page as its user handles it. Every method resolves when the page shows that it is done. */
export class NotificationsPage {
  constructor(readonly page: Page) {}

  async visit(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.getByText('Live', { exact: true }).waitFor();
  }

  panel(name: string): Locator {
    return this.page.getByRole('region', { name });
  }

  card(account: string, device: string): Locator {
    return this.page.getByRole('listitem', { name: `${account} / ${device}`, exact: true });
  }

  async open(account: string, device: string): Promise<Locator> {
    const form = this.panel('Connections').locator('#open-form');
    await form.getByLabel('Account').fill(account);
    await form.getByLabel('Device').fill(device);
    await form.getByRole('button', { name: 'Open', exact: true }).click();
    await this.reaches(this.card(account, device), 'Open');
    return this.card(account, device);
  }

  /** Waits until the card shows this state. */
  async reaches(card: Locator, state: string, timeout?: number): Promise<void> {
    const shown = card.locator('.state', { hasText: new RegExp(`^${state}$`) });
    await shown.waitFor(timeout === undefined ? {} : { timeout });
  }

  async subscribe(card: Locator, pattern: string): Promise<void> {
    await card.getByLabel('Pattern to subscribe to').fill(pattern);
    await card.getByRole('button', { name: 'Subscribe', exact: true }).click();
  }

  async join(card: Locator, room: string): Promise<void> {
    await card.getByLabel('Room to join').fill(room);
    await card.getByRole('button', { name: 'Join' }).click();
    await card.getByRole('button', { name: `Leave ${room}` }).waitFor();
  }

  /** Uses the console; resolves with what it says of the result. */
  async push(kind: Kind, order: PushOrder): Promise<{ word: string; json: string }> {
    const form = this.panel('Push').locator('form');
    await form.getByRole('radio', { name: kind }).check();
    if (order.account !== undefined) await form.getByLabel('Account').last().fill(order.account);
    if (order.device !== undefined) await form.getByLabel('Device').fill(order.device);
    if (order.room !== undefined) await form.getByLabel('Room').last().fill(order.room);
    if (order.timeoutMs !== undefined) {
      await form.getByLabel('Timeout').fill(String(order.timeoutMs));
    }
    if (order.event !== undefined) await form.getByLabel('Event').selectOption(order.event);
    if (order.data !== undefined) await form.getByLabel('Payload').fill(JSON.stringify(order.data));
    await form.getByRole('button', { name: kind === 'Ask' ? 'Ask' : 'Push' }).click();
    return this.result();
  }

  /** Lines of the feed: what this connection received under this name, with this text in its payload. */
  received(account: string, device: string, name: string, text: string): Locator {
    return this.page
      .locator(`.event[data-from="${account} / ${device}"]`)
      .filter({ has: this.page.getByText(name, { exact: true }) })
      .filter({ hasText: text });
  }

  /** All that this connection received, in the order of arrival. */
  async payloads(account: string, device: string): Promise<unknown[]> {
    const lines = this.page.locator(`.event[data-from="${account} / ${device}"] .data`);
    return (await lines.allInnerTexts()).toReversed().map((text): unknown => JSON.parse(text));
  }

  private async result(): Promise<{ word: string; json: string }> {
    const result = this.page.getByRole('status', { name: 'Result' });
    await this.page.locator('#push-button:enabled').waitFor();
    return {
      word: await result.locator('.result-word').innerText(),
      json: await result.locator('pre').innerText(),
    };
  }
}
