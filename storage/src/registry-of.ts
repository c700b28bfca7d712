import type { App, KeyRecord } from '@hopper/contracts'
import type { Collection, Registry } from './ports/registry.ts'

/** A collection whose records can also be found by id alone, without the owner. */
export interface IndexedCollection<T> extends Collection<T> {
  byId(id: string): Promise<T | undefined>
}

/** Builds the registry from an adapter's collections. Defines the names of the record kinds once for all adapters. */
export function registryOf(collectionOf: <T>(kind: string) => IndexedCollection<T>): Registry {
  const apps = collectionOf<App>('app')
  const keys = collectionOf<KeyRecord>('key')
  return {
    organizations: collectionOf('organization'),
    apps,
    keys,
    funnels: collectionOf('funnel'),
    funnelMarks: collectionOf('funnel_mark'),
    backfills: collectionOf('backfill'),
    forgets: collectionOf('forget'),
    forgetParts: collectionOf('forget_part'),
    elements: collectionOf('element'),
    properties: collectionOf('property'),
    members: collectionOf('member'),
    logins: collectionOf('login'),
    audits: collectionOf('audit'),
    imports: collectionOf('import'),
    externals: collectionOf('external'),
    losses: collectionOf('loss'),
    ahead: collectionOf('ahead'),
    lastSeenLog: collectionOf('last_seen_log'),
    app: (id) => apps.byId(id),
    keyByHash: (hash) => keys.byId(hash),
  }
}
