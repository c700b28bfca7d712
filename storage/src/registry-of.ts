import type { App, KeyRecord, Retention, SharedLink } from '@hopper/contracts'
import type { Claims, Collection, Registry } from './ports/registry.ts'

/** A collection whose records can also be found by id alone, without the owner. */
export interface IndexedCollection<T> extends Collection<T> {
  byId(id: string): Promise<T | undefined>
}

/** Builds the registry from an adapter's collections. Defines the names of the record kinds once for all adapters. */
export function registryOf(collectionOf: <T>(kind: string) => IndexedCollection<T>, claims: Claims): Registry {
  const retentions = collectionOf<Retention>('retention')
  const apps = withRetention(collectionOf<App>('app'), retentions)
  const keys = collectionOf<KeyRecord>('key')
  const sharedLinks = collectionOf<SharedLink>('shared_link')
  return {
    organizations: collectionOf('organization'),
    apps,
    keys,
    funnels: collectionOf('funnel'),
    funnelMarks: collectionOf('funnel_mark'),
    backfills: collectionOf('backfill'),
    forgets: collectionOf('forget'),
    forgetParts: collectionOf('forget_part'),
    retentions,
    retentionParts: collectionOf('retention_part'),
    botReviews: collectionOf('bot_review'),
    usages: collectionOf('usage'),
    elements: collectionOf('element'),
    picks: collectionOf('pick'),
    alerts: collectionOf('alert'),
    alertRecords: collectionOf('alert_record'),
    alertTests: collectionOf('alert_test'),
    annotations: collectionOf('annotation'),
    sharedLinks,
    sharedLinkUses: collectionOf('shared_link_use'),
    claims,
    properties: collectionOf('property'),
    members: collectionOf('member'),
    secondFactors: collectionOf('second_factor'),
    recoveryCodes: collectionOf('recovery_code'),
    providerLinks: collectionOf('provider_link'),
    logins: collectionOf('login'),
    loginUses: collectionOf('login_use'),
    keyUses: collectionOf('key_use'),
    audits: collectionOf('audit'),
    auditRuns: collectionOf('audit_run'),
    disks: collectionOf('disk'),
    refusals: collectionOf('refusal'),
    processes: collectionOf('process'),
    imports: collectionOf('import'),
    externals: collectionOf('external'),
    losses: collectionOf('loss'),
    ahead: collectionOf('ahead'),
    lastSeenLog: collectionOf('last_seen_log'),
    app: (id) => apps.byId(id),
    sharedLink: (id) => sharedLinks.byId(id),
    keyByHash: (hash) => keys.byId(hash),
  }
}

/**
 * Adds to each app the date from which it keeps events. It is stored as a record of its own, since aggregators write
 * it, and people write the app.
 */
function withRetention(apps: IndexedCollection<App>, retentions: Collection<Retention>): IndexedCollection<App> {
  const merged = ({ kept_from: _, ...rest }: App, retention: Retention | undefined): App =>
    retention ? { ...rest, kept_from: retention.kept_from } : rest
  const whole = async (app: App | undefined): Promise<App | undefined> =>
    app && merged(app, await retentions.get('', app.id))
  return {
    get: async (owner, id) => whole(await apps.get(owner, id)),
    byId: async (id) => {
      const [app, retention] = await Promise.all([apps.byId(id), retentions.get('', id)])
      return app && merged(app, retention)
    },
    list: async (owner) => {
      const [all, decided] = await Promise.all([apps.list(owner), retentions.list('')])
      const byApp = new Map(decided.map((retention) => [retention.app, retention]))
      return all.map((app) => merged(app, byApp.get(app.id)))
    },
    put: (owner, id, app) => apps.put(owner, id, merged(app, undefined)),
    remove: (owner, id) => apps.remove(owner, id),
  }
}
