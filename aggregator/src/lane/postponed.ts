/** Thrown when something else must happen first. The message tells the operator what. */
export class Postponed extends Error {}

/** Returns the state of work without the problem that stopped it, since it has continued. */
export function withoutProblem<T extends { readonly problem?: string }>({
  problem: _,
  ...rest
}: T): Omit<T, 'problem'> {
  return rest
}
