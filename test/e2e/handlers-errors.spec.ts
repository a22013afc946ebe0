import {
  BadRequestException,
  ConflictException,
  ForbiddenException,
  HttpException,
  Injectable,
  Logger,
  NotFoundException,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import { z } from 'zod';
import { OnLoopEvent } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('errors of a handler', () => {
  @Injectable()
  class Failing {
    @OnLoopEvent('chat:http')
    http(): never {
      throw new ForbiddenException('Not yours.');
    }

    @OnLoopEvent('chat:invalid')
    invalid(): never {
      throw new BadRequestException(['text must be a string']);
    }

    @OnLoopEvent('chat:ws')
    ws(): never {
      throw new WsException('Too late.');
    }

    @OnLoopEvent('chat:unknown')
    async unknown(): Promise<never> {
      throw new Error('password=hunter2');
    }

    @OnLoopEvent('chat:hangs')
    hangs(): Promise<never> {
      return new Promise(() => {});
    }

    @OnLoopEvent('chat:fine')
    fine(): string {
      return 'fine';
    }
  }

  it.each([
    ['chat:http', { code: 'forbidden', message: 'Not yours.' }],
    ['chat:invalid', { code: 'invalid_payload', details: ['text must be a string'] }],
    ['chat:ws', { code: 'rejected', message: 'Too late.' }],
  ])('%s becomes one error frame with the id of its frame', async (event, error) => {
    const { client } = await startLoopApp({ providers: [Failing] });
    const one = await client();
    expect(await one.request(event)).toMatchObject({ op: 'error', id: 1, ...error });
    expect(await one.request('chat:fine')).toMatchObject({ data: 'fine' });
  });

  it.each<[code: string, HttpException]>([
    ['unauthorized', new UnauthorizedException('No.')],
    ['not_found', new NotFoundException('No.')],
    ['rate_limited', new HttpException('No.', 429)],
    ['unavailable', new ServiceUnavailableException('No.')],
    ['invalid_payload', new UnprocessableEntityException('No.')],
    ['rejected', new ConflictException('No.')],
    ['rejected', new HttpException('No.', 418)],
  ])('P6: the client is told %s for %s, and why, and stays', async (code, exception) => {
    @Injectable()
    class Refusing {
      @OnLoopEvent('chat:refused')
      refused(): never {
        throw exception;
      }
    }
    const { client } = await startLoopApp({ providers: [Refusing, Failing] });
    const one = await client();
    expect(await one.request('chat:refused')).toEqual({ op: 'error', id: 1, code, message: 'No.' });
    expect(await one.request('chat:fine')).toMatchObject({ data: 'fine' });
  });

  it('P6: HTTP 500 tells the client no more than any other failure', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    @Injectable()
    class Broken {
      @OnLoopEvent('chat:broken')
      broken(): never {
        throw new HttpException('password=hunter2', 500);
      }
    }
    const { client } = await startLoopApp({ providers: [Broken] });
    const frame = await (await client()).request('chat:broken');
    expect(frame).toMatchObject({ op: 'error', id: 1, code: 'internal' });
    expect(JSON.stringify(frame)).not.toContain('hunter2');
  });

  it('an unknown error tells the client a reference, and the log the reason under it', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client } = await startLoopApp({ providers: [Failing] });
    const frame = (await (await client()).request('chat:unknown')) as {
      code: string;
      message: string;
    };
    expect(frame.code).toBe('internal');
    expect(frame.message).not.toContain('hunter2');
    const reference = /[0-9a-f-]{36}/.exec(frame.message)![0];
    const [line, stack] = log.mock.calls[0]! as [string, string];
    expect(line).toContain(reference);
    expect(stack).toContain('password=hunter2');
  });

  it('P6: a handler that never settles is answered with timeout, and the next frame is handled', async () => {
    const { client } = await startLoopApp({
      providers: [Failing],
      options: { config: { handlerTimeoutMs: 30 } },
    });
    const one = await client();
    const [hanging, fine] = await Promise.all([
      one.request('chat:hangs'),
      one.request('chat:fine'),
    ]);
    expect(hanging).toMatchObject({ op: 'error', code: 'timeout' });
    expect(fine).toMatchObject({ data: 'fine' });
  });
});

describe('schemas', () => {
  const events = {
    'chat:message.send': z.object({ text: z.string().trim().min(1), at: z.coerce.date() }),
  };

  @Injectable()
  class Chat {
    @OnLoopEvent('chat:message.send')
    send(body: { text: string; at: Date }): unknown {
      return [body.text, body.at instanceof Date];
    }
  }

  it('hand the handler what the schema made of the payload', async () => {
    const { client } = await startLoopApp({ providers: [Chat], options: { events } });
    const reply = await (
      await client()
    ).request('chat:message.send', { text: ' hi ', at: '2026-01-01' });
    expect(reply).toMatchObject({ data: ['hi', true] });
  });

  it('refuse a payload of another shape before the handler sees it', async () => {
    const { client } = await startLoopApp({ providers: [Chat], options: { events } });
    const frame = await (await client()).request('chat:message.send', { text: 5, at: 'x' });
    expect(frame).toMatchObject({ op: 'error', code: 'invalid_payload' });
    expect((frame as { details: { path: string[] }[] }).details.map(({ path }) => path)).toEqual([
      ['text'],
      ['at'],
    ]);
  });

  it('tell at most config.maxIssues complaints', async () => {
    const options = { events, config: { maxIssues: 1 } };
    const { client } = await startLoopApp({ providers: [Chat], options });
    const frame = await (await client()).request('chat:message.send', { text: 5, at: 'x' });
    expect(frame).toMatchObject({ code: 'invalid_payload', details: [{ path: ['text'] }] });
    expect((frame as { details: unknown[] }).details).toHaveLength(1);
  });
});
