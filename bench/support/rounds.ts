/**
 * Measures contenders in turn, round after round, in the one order and then in the other, so that whatever disturbs the
 * machine disturbs all of them.
 */
export async function inTurn<Contender, Figure>(
  rounds: number,
  contenders: readonly Contender[],
  measure: (contender: Contender) => Promise<Figure>,
): Promise<Map<Contender, Figure[]>> {
  const figures = new Map(contenders.map((one): [Contender, Figure[]] => [one, []]));
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
      figures.get(one)!.push(await measure(one));
    }
  }
  return figures;
}
