import { Injectable, Scope, type Type } from '@nestjs/common';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { LoopConnection, OnLoopEvent } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

function chatHandlers(scope: Scope): Type {
  @Injectable({ scope })
  class Handlers {
    @OnLoopEvent('chat:create')
    create(@ConnectedSocket() connection: LoopConnection, @MessageBody() body: unknown): unknown {
      return { chat: body, by: connection.accountId };
    }
  }
  return Handlers;
}

function billingHandlers(scope: Scope): Type {
  @Injectable({ scope })
  class Handlers {
    @OnLoopEvent('billing:create')
    create(
      @MessageBody('cents') cents: number,
      @ConnectedSocket() connection: LoopConnection,
    ): unknown {
      return { cents, by: connection.accountId };
    }
  }
  return Handlers;
}

function unmarkedHandlers(scope: Scope): Type {
  @Injectable({ scope })
  class Handlers {
    @OnLoopEvent('device:create')
    create(body: unknown): unknown {
      return { device: body };
    }
  }
  return Handlers;
}

describe('classes of the same name with methods of the same name', () => {
  it.each([
    ['static', Scope.DEFAULT],
    ['request-scoped', Scope.REQUEST],
  ])('each get the arguments that they ask for, %s', async (_what, scope) => {
    const providers = [chatHandlers(scope), billingHandlers(scope), unmarkedHandlers(scope)];
    const { client } = await startLoopApp({ providers });
    const one = await client();
    expect(await one.request('chat:create', 'hi')).toMatchObject({
      data: { chat: 'hi', by: 'acme' },
    });
    expect(await one.request('billing:create', { cents: 5 })).toMatchObject({
      data: { cents: 5, by: 'acme' },
    });
    expect(await one.request('device:create', 7)).toMatchObject({ data: { device: 7 } });
  });
});
