import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { ParamsTokenFactory } from '@nestjs/core/pipes/params-token-factory.js';
import { andThen, isLater, type NowOrLater } from '../util/now-or-later.js';
import type { Enhancers, MarkedParameter } from './enhancers.js';

interface Parameter {
  readonly index: number;
  read(args: readonly unknown[]): unknown;
}

const PARAM_TYPES = new ParamsTokenFactory();

/** Builds the arguments array for a handler with marked parameters: each value is passed through its pipes. */
export function argumentsReader({
  pipes,
  parameters: marked,
}: Enhancers): (args: readonly unknown[]) => NowOrLater<unknown[]> {
  const parameters = marked.map((parameter) => pipedParameter(parameter, pipes));
  const length = Math.max(...marked.map(({ index }) => index)) + 1;
  const noValues = Array.from<unknown>({ length });
  return (args) => {
    const values = noValues.slice();
    for (let at = 0; at < parameters.length; at++) {
      const parameter = parameters[at]!;
      const value = parameter.read(args);
      if (isLater(value)) return readOn(parameters.slice(at), value, args, values);
      values[parameter.index] = value;
    }
    return values;
  };
}

/** The others do not wait for the first. A throw becomes a rejection, so that no other rejection is left unhandled. */
async function readOn(
  [first, ...others]: readonly Parameter[],
  firstValue: PromiseLike<unknown>,
  args: readonly unknown[],
  values: unknown[],
): Promise<unknown[]> {
  const fill = async ({ index }: Parameter, value: unknown): Promise<void> => {
    values[index] = await value;
  };
  const otherValues = others.map(async (other) => fill(other, other.read(args)));
  await Promise.all([fill(first!, firstValue), ...otherValues]);
  return values;
}

function pipedParameter(marked: MarkedParameter, pipes: readonly PipeTransform[]): Parameter {
  const { index, data, metatype, schema } = marked;
  const type = PARAM_TYPES.exchangeEnumForString(marked.type as never);
  const metadata = (): ArgumentMetadata => ({ metatype, type, data, schema }) as ArgumentMetadata;
  const all = [...pipes, ...marked.pipes];
  return { index, read: (args) => transform(marked.extractValue(...args), all, metadata, 0) };
}

function transform(
  value: unknown,
  pipes: readonly PipeTransform[],
  metadata: () => ArgumentMetadata,
  from: number,
): unknown {
  let current = value;
  for (let at = from; at < pipes.length; at++) {
    if (isLater(current)) return andThen(current, (there) => transform(there, pipes, metadata, at));
    current = pipes[at]!.transform(current, metadata());
  }
  return current;
}
