import { expect, it } from '@jest/globals';
import { ClientErrorCode } from '../../../lib/client/index.js';
import { explanation } from '../../../lib/client/explanations.js';

it.each(Object.values(ClientErrorCode))('the code %s has a sentence of its own', (code) => {
  const sentence = explanation(code, ['one', 'two', 'three', 'four']);

  expect(sentence).toMatch(/^\S+ .+/);
  expect(sentence).not.toMatch(/undefined|\[object/);
  const others = Object.values(ClientErrorCode).filter((other) => other !== code);
  expect(others.map((other) => explanation(other, ['one', 'two', 'three', 'four']))).not.toContain(
    sentence,
  );
});
