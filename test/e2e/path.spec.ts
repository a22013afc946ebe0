import { Controller, Get, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  closeLoopApps,
  type LoopApp,
  loopModule,
  startLoopApp,
  track,
} from '../support/loop-app.js';
import { cutRawPeers, RawPeer, refusal } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
});

describe('the path', () => {
  it.each(['/ws/', '//ws', '/a//b', 'ws', '', '/w s', '/ws?x', '/ws#x', '/:id'])(
    '%j stops the boot, for nobody could connect to it',
    async (path) => {
      await expect(startLoopApp({ options: { path } })).rejects.toThrow(/"path".*plain path/);
    },
  );

  it.each(['/', '/ws', '/a/b-c.d~e'])('%s serves, and no other', async (path) => {
    const app = await startLoopApp({ options: { path } });
    expect((await RawPeer.open(app.port, { path: `${path}?x=1` })).answer.status).toBe(101);
    expect((await refusal(app, { path: `${path}x` })).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${app.port}${path}`)).status).toBe(426);
  });
});

describe('plain HTTP on the WebSocket path', () => {
  @Controller('ws')
  class OwnRoute {
    @Get()
    hello(): string {
      return 'mine';
    }
  }

  async function listening(app: INestApplication): Promise<LoopApp> {
    await app.listen(0, '127.0.0.1');
    return track(app);
  }

  const PLATFORMS: [string, (controllers: (typeof OwnRoute)[]) => Promise<LoopApp>][] = [
    [
      'Express',
      async (controllers) => {
        const builder = Test.createTestingModule({ imports: [loopModule()], controllers });
        return listening((await builder.compile()).createNestApplication());
      },
    ],
    [
      'Fastify',
      async (controllers) => {
        const builder = Test.createTestingModule({ imports: [loopModule()], controllers });
        return listening((await builder.compile()).createNestApplication(new FastifyAdapter()));
      },
    ],
  ];

  describe.each(PLATFORMS)('with %s', (_platform, start) => {
    it('is answered with 426 and the protocol to upgrade to, while WebSockets connect', async () => {
      const app = await start([]);
      const answer = await fetch(`http://127.0.0.1:${app.port}/ws`);
      expect(answer.status).toBe(426);
      expect(answer.headers.get('upgrade')).toBe('websocket');
      expect(await answer.text()).toContain('WebSocket');
      expect((await fetch(`http://127.0.0.1:${app.port}/other`)).status).toBe(404);
      expect(await isServing(app)).toBe(true);
    });

    it('is left to a route of the application on the same path', async () => {
      const app = await start([OwnRoute]);
      const answer = await fetch(`http://127.0.0.1:${app.port}/ws`);
      expect([answer.status, await answer.text()]).toEqual([200, 'mine']);
      expect(await isServing(app)).toBe(true);
    });
  });
});
