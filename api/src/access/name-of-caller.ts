import type { Registry } from '@hopper/storage'
import type { Caller } from './caller.ts'

/** Returns the name of a caller, to record who has made a change. */
export async function nameOfCaller(registry: Pick<Registry, 'members'>, caller: Caller): Promise<string> {
  if (caller.kind === 'key') return 'an admin key'
  if (caller.kind === 'shared') return 'a reader'
  const member = await registry.members.get(caller.organization, caller.member)
  return member?.name ?? caller.member
}
