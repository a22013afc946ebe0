import {
  CloseCode,
  isSendableCloseCode,
  shouldReconnect,
  truncateReason,
} from '../../../lib/protocol/close-code.js';

describe('the reconnect rule', () => {
  it('is in the number: 45xx is final, everything else is worth another try', () => {
    for (let code = 0; code < 6_000; code++) {
      expect(shouldReconnect(code)).toBe(Math.floor(code / 100) !== 45);
    }
  });

  it('holds for each code of the protocol', () => {
    const final = Object.values(CloseCode).filter((code) => !shouldReconnect(code));
    expect(final).toEqual([
      CloseCode.NotTheProtocol,
      CloseCode.CredentialsExpired,
      CloseCode.Forbidden,
      CloseCode.Replaced,
    ]);
  });
});

describe('isSendableCloseCode', () => {
  it('is true for what RFC 6455 lets an endpoint send, and for nothing else', () => {
    const sendable = Array.from({ length: 6_000 }, (_, code) => code).filter(isSendableCloseCode);
    const reserved = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    expect(sendable.filter((code) => code < 3_000)).toEqual(reserved);
    expect(sendable.filter((code) => code >= 3_000)).toHaveLength(2_000);
    expect(Object.values(CloseCode).every(isSendableCloseCode)).toBe(true);
    for (const code of [NaN, Infinity, -1, 1000.5, 4000.1])
      expect(isSendableCloseCode(code)).toBe(false);
  });
});

describe('truncateReason', () => {
  it.each([
    ['', 0],
    ['Bye.', 4],
    ['x'.repeat(123), 123],
    ['x'.repeat(124), 123],
    ['é'.repeat(100), 122],
    ['€'.repeat(100), 123],
    ['😀'.repeat(100), 120],
    [`x${'😀'.repeat(100)}`, 121],
    [`${'x'.repeat(122)}é`, 122],
    ['\ud800'.repeat(100), 123],
  ])('cuts %# to at most 123 bytes, on a character boundary', (reason, bytes) => {
    const cut = truncateReason(reason);
    expect(Buffer.byteLength(cut)).toBe(bytes);
    expect(reason.startsWith(cut)).toBe(true);
    expect(cut.isWellFormed()).toBe(reason.isWellFormed());
  });
});
