import type { Storage } from '@hopper/storage'
import type { LaneLease } from '../installation/lane-lease.ts'

const LETTERS_PER_READ = 100

/** Removes the dead letters of a lane that can now be counted, such as those of an app that was created later. */
export async function removeLetters(readers: Storage, staged: Storage, held: LaneLease): Promise<void> {
  const { lane } = held.lease
  const left = await positionsOf(staged, lane)
  const gone = [...(await positionsOf(readers, lane))].filter((position) => !left.has(position))
  if (gone.length > 0) await readers.writer.removeDeadLetters(lane, gone)
}

/** Reads the positions, which take a few bytes per letter. */
async function positionsOf({ reader }: Storage, lane: number): Promise<Set<number>> {
  const positions = new Set<number>()
  for (let from = 0; ;) {
    const letters = await reader.deadLettersFrom(lane, from, LETTERS_PER_READ)
    for (const { position } of letters) positions.add(position)
    if (letters.length === 0) return positions
    from = letters.at(-1)!.position + 1
  }
}
