export type HookKind =
  'connect' | 'disconnect' | 'subscribe' | 'unsubscribe' | 'accountOnline' | 'accountOffline';

/** What a decorator declares about a method. */
export type HandlerMetadata =
  | { readonly kind: 'event'; readonly name: string }
  | { readonly kind: 'hook'; readonly hook: HookKind };

const HANDLER_METADATA = 'loopws:handler';

/** A method has an array of metadata, because decorators stack. */
export function addHandlerMetadata(method: unknown, metadata: HandlerMetadata): void {
  Reflect.defineMetadata(
    HANDLER_METADATA,
    [...handlerMetadataOf(method), metadata],
    method as object,
  );
}

export function handlerMetadataOf(method: unknown): readonly HandlerMetadata[] {
  return (
    (Reflect.getMetadata(HANDLER_METADATA, method as object) as HandlerMetadata[] | undefined) ?? []
  );
}
