import { isAllowedOrigin } from '../../../../lib/gateway/request/origin-policy.js';

const ALLOWED = ['https://app.example', 'https://app.example:8443', 'http://localhost:3000'];

describe('isAllowedOrigin with a list', () => {
  it.each(ALLOWED)('admits %s', (origin) => {
    expect(isAllowedOrigin({ origin, host: 'api.example' }, ALLOWED)).toBe(true);
  });

  it.each([
    'null',
    '',
    'https://app.example/',
    'https://app.example.',
    'https://APP.EXAMPLE',
    'HTTPS://app.example',
    'http://app.example',
    'https://app.example:443',
    'https://app.example:8444',
    'https://app.example.evil.example',
    'https://evilapp.example',
    'https://app.example@evil.example',
    'https://evil.example#https://app.example',
    'https://evil.example/https://app.example',
    'https://app.example https://app.example',
    'https://app.example, https://app.example',
    'https://*.example',
    'https://аpp.example',
    ' https://app.example',
    'https://app.example\u0000',
    'file://',
    'javascript:alert(1)',
    'http://localhost',
    'http://127.0.0.1:3000',
  ])('refuses %j', (origin) => {
    expect(isAllowedOrigin({ origin, host: 'app.example' }, ALLOWED)).toBe(false);
  });

  it('admits who sends no origin, for that is no browser', () => {
    expect(isAllowedOrigin({ host: 'app.example' }, ALLOWED)).toBe(true);
  });

  it('of nothing admits no browser', () => {
    expect(isAllowedOrigin({ origin: 'https://app.example', host: 'app.example' }, [])).toBe(false);
  });
});

describe('isAllowedOrigin by default', () => {
  it.each([
    ['https://app.example', 'app.example'],
    ['http://app.example:8080', 'app.example:8080'],
    ['http://127.0.0.1:3000', '127.0.0.1:3000'],
    ['http://[::1]:3000', '[::1]:3000'],
  ])('admits %s on host %s', (origin, host) => {
    expect(isAllowedOrigin({ origin, host }, undefined)).toBe(true);
  });

  it.each([
    ['https://evil.example', 'app.example'],
    ['https://app.example:8443', 'app.example'],
    ['https://app.example', 'app.example:8443'],
    ['https://app.example.evil.example', 'app.example'],
    ['https://user@app.example', 'app.example'],
    ['https://app.example/path', 'app.example'],
    ['https://app.example.', 'app.example'],
    ['null', 'null'],
    ['', ''],
    ['https://app.example', undefined],
  ])('refuses %j on host %j', (origin, host) => {
    expect(isAllowedOrigin({ origin, host }, undefined)).toBe(false);
  });
});

it("isAllowedOrigin with '*' admits everyone", () => {
  expect(isAllowedOrigin({ origin: 'null' }, '*')).toBe(true);
});
