import { RecentlyOffline } from '../../../lib/presence/redis/recently-offline.js';

describe('accounts that were reported offline', () => {
  let now = 0;
  const recent = (): RecentlyOffline => new RecentlyOffline(() => now);

  beforeEach(() => {
    now = 0;
  });

  it('P7: are remembered until they come back', () => {
    const accounts = recent();
    accounts.add('acme');
    expect(accounts.has('acme')).toBe(true);
    accounts.delete('acme');
    expect(accounts.has('acme')).toBe(false);
  });

  it('P7: are forgotten after a minute, which begins anew with each report', () => {
    const accounts = recent();
    accounts.add('acme');
    now = 40_000;
    accounts.add('acme');
    now = 99_999;
    expect(accounts.has('acme')).toBe(true);
    now = 100_000;
    expect(accounts.has('acme')).toBe(false);
  });

  it('P6: are bounded in number: the oldest is forgotten first', () => {
    const accounts = recent();
    for (let at = 0; at <= 10_000; at++) accounts.add(`a${at}`);
    expect(accounts.has('a0')).toBe(false);
    expect(accounts.has('a1')).toBe(true);
    expect(accounts.has('a10000')).toBe(true);
  });
});
