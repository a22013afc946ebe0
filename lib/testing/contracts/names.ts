/** Names that users may choose and that a text format may stumble over. */
export const STRANGE_NAMES: readonly string[] = [
  'acme',
  'Acme',
  'acme:',
  ':acme',
  'account:acme',
  '{acme}',
  'a{c}me}',
  'a.c.m.e',
  'a c m e',
  ' ',
  '0',
  '-',
  '+',
  '(acme',
  '[acme',
  '*',
  'ac?e',
  'a>',
  'a/b#',
  '"',
  "'\\",
  '%61cme',
  'é',
  'e\u0301',
  '🦊',
  '__proto__',
  'constructor',
  'n'.repeat(127) + '1',
  'n'.repeat(127) + '2',
];

export function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}-${at}`);
}
