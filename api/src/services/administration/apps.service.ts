import { Inject, Injectable } from '@nestjs/common'
import { botReviewProgress, HopperError, isTimeZone, receivedBytes, type App, type Apps } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { maySee, type Caller } from '../../access/caller.ts'
import { keyRecord, newKey } from '../../access/secret.ts'
import type { AppPatch, AppView, CreatedApp, NewApp, Organizations } from '../../answers/administration.ts'
import { invalidFields } from '../../http/checked.ts'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'
import { botRuleProblems } from './check-bot-rules.ts'
import { keptParameters, keptProblems, stageProblems } from './check-stages.ts'

const APPS_PER_ORGANIZATION_MAX = 1_000

@Injectable()
export class AppsService {
  private readonly registry: Registry
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.clock = clock
  }

  /** Lists the apps that the caller may see. */
  async list(caller: Caller): Promise<Apps> {
    const apps = (await this.registry.apps.list(caller.organization)).filter((app) => maySee(caller, app))
    return {
      apps: apps.map(({ id, name, timezone, organization, retention_days = null, kept_from }) => {
        return { id, name, timezone, organization, retention_days, ...(kept_from === undefined ? {} : { kept_from }) }
      }),
    }
  }

  /** Returns an app with what it has received. */
  async view(app: App): Promise<AppView> {
    const [usages, reviews] = await Promise.all([
      this.registry.usages.list(app.id),
      this.registry.botReviews.list(app.id),
    ])
    return {
      ...withoutBounds(app),
      bot_rules: app.bot_rules ?? [],
      received_bytes: receivedBytes(app, usages),
      bot_review: botReviewProgress(app, reviews),
    }
  }

  /**
   * Creates an app with its first two keys, which are shown only once. Its time zone can never change: dates are
   * counted by it.
   */
  async create(
    caller: Caller,
    {
      id,
      name,
      timezone = 'UTC',
      origins = [],
      keep_parameters = [],
      hash_routing,
      tracker,
      retention_days,
      quota_bytes,
      bot_rules,
    }: NewApp,
  ): Promise<CreatedApp> {
    const { organization } = caller
    if (!isTimeZone(timezone)) {
      throw invalidFields([{ field: 'timezone', message: 'must be an IANA time zone, like Europe/Berlin' }])
    }
    const faults = botRuleProblems(bot_rules ?? [])
    if (faults.length > 0) throw invalidFields(faults)
    if (await this.registry.app(id)) throw new HopperError('HOP_CONFLICT')
    if ((await this.registry.apps.list(organization)).length >= APPS_PER_ORGANIZATION_MAX) {
      throw new HopperError('HOP_LIMIT', undefined, { details: { apps_max: APPS_PER_ORGANIZATION_MAX } })
    }
    const app: App = {
      id,
      organization,
      name,
      timezone,
      origins,
      keep_parameters,
      ...(hash_routing === undefined ? {} : { hash_routing }),
      ...(tracker === undefined ? {} : { tracker }),
      ...(retention_days === undefined ? {} : { retention_days }),
      ...(quota_bytes === undefined ? {} : { quota_bytes }),
      ...(bot_rules === undefined ? {} : { bot_rules }),
    }
    await this.registry.apps.put(organization, id, app)
    return { app, write_key: await this.key('write', app), read_key: await this.key('read', app) }
  }

  /**
   * Changes an app; tracker options that the patch does not name stay. What its stages need stays too: the parameters
   * they use remain kept, and a stage with a route requires `hash_routing`.
   */
  async change(app: App, patch: AppPatch): Promise<AppView> {
    const funnels = await this.registry.funnels.list(app.id)
    const tracker = patch.tracker && { ...app.tracker, ...patch.tracker }
    const merged = { ...app, ...patch, ...(tracker && { tracker }) }
    const changed = { ...merged, keep_parameters: keptParameters(merged.keep_parameters, funnels) }
    const withRoute =
      changed.hash_routing === true
        ? undefined
        : funnels.find((funnel) => stageProblems(funnel, changed).length > stageProblems(funnel, app).length)
    const faults = [
      ...keptProblems(changed.keep_parameters, 'keep_parameters'),
      ...botRuleProblems(patch.bot_rules ?? []),
      ...(withRoute
        ? [{ field: 'hash_routing', message: `must stay true while funnel "${withRoute.id}" has a stage with a route` }]
        : []),
    ]
    if (faults.length > 0) throw invalidFields(faults)
    await this.registry.apps.put(app.organization, app.id, changed)
    return this.view(changed)
  }

  async organizations(caller: Caller): Promise<Organizations> {
    const organization = await this.registry.organizations.get('', caller.organization)
    return { organizations: organization ? [organization] : [] }
  }

  private async key(power: 'write' | 'read', app: App): Promise<string> {
    const key = newKey(power)
    const record = keyRecord(key, power, app.organization, app.id, this.clock())
    await this.registry.keys.put(app.organization, record.hash, record)
    return key
  }
}

/** Returns the app with null for each limit that is not set. */
function withoutBounds(app: App): App {
  return { ...app, retention_days: app.retention_days ?? null, quota_bytes: app.quota_bytes ?? null }
}
