import { expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { connect, LoopClientError } from '../../../lib/client/production.js';

/** Loaded after what was thrown before, as a page is either built for production or not. */
const explained = () => import('../../../lib/client/index.js');

it('errors of a page built for production tell their code and the facts, in development a sentence', async () => {
  const dial = () => connect('ftp://app.example', { WebSocket });
  expect(dial).toThrow(new LoopClientError('bad_option', 'bad_option url ftp://app.example'));

  await explained();

  expect(dial).toThrow(/"ftp:\/\/app.example" is not the address of a server: use one such as/);
});
