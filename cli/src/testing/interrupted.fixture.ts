import { withOverrides, type Storage } from '@hopper/storage'

/**
 * A storage that fails permanently at the append after `appends` others: before it, after half of it, after it, or when
 * its progress is stored.
 */
export function interruptAfter(storage: Storage, appends: number, how: 'before' | 'half' | 'after' | 'note'): Storage {
  let left = appends
  const log = withOverrides(storage.log, {
    appendMessages: async (messages) => {
      if (left-- > 0) return storage.log.appendMessages(messages)
      const taken = how === 'before' ? 0 : how === 'half' ? Math.floor(messages.length / 2) : messages.length
      const places = await storage.log.appendMessages(messages.slice(0, taken))
      if (how !== 'note') throw new Error('interrupted')
      return places
    },
  })
  const imports = withOverrides(storage.registry.imports, {
    put: async (owner, id, progress) => {
      if (how === 'note' && left < 0) throw new Error('interrupted')
      await storage.registry.imports.put(owner, id, progress)
    },
  })
  return { ...storage, log, registry: { ...storage.registry, imports } }
}
