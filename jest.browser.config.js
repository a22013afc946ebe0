import base from './jest.config.js';

/** The client in a real browser. Apart from `npm test`, because it needs Chromium. */
export default {
  ...base,
  testRegex: 'test/browser/.*\\.spec\\.ts$',
  testTimeout: 60_000,
};
