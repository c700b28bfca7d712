import type { App, TrackerOptions } from '@hopper/contracts'

/** Settings of an app as a form has them: lists are texts with a line for each entry, numbers are texts. */
export interface AppDraft {
  readonly name: string
  readonly origins: string
  readonly keepParameters: string
  readonly hashRouting: boolean
  /** days; empty: forever */
  readonly retention: string
  /** gigabytes; empty without bound */
  readonly quota: string
  readonly flags: readonly TrackerFlag[]
  readonly crossDomains: string
}

/** The options of the tracker that are on or off. */
export const trackerFlags = [
  'consent',
  'cookieless',
  'respect_privacy_signals',
  'subdomains',
  'new_session_at_campaign',
] as const satisfies readonly (keyof TrackerOptions)[]
export type TrackerFlag = (typeof trackerFlags)[number]

type Settings = Pick<
  App,
  'name' | 'origins' | 'keep_parameters' | 'hash_routing' | 'retention_days' | 'quota_bytes' | 'tracker'
>

const GIGABYTE = 1e9

/** Returns the settings as texts of the form: lists with one entry a line, the quota in GB. */
export function appDraftOf(app: Settings): AppDraft {
  const { tracker = {} } = app
  return {
    name: app.name,
    origins: app.origins.join('\n'),
    keepParameters: app.keep_parameters.join('\n'),
    hashRouting: app.hash_routing === true,
    retention: textOf(app.retention_days),
    quota: textOf(typeof app.quota_bytes === 'number' ? app.quota_bytes / GIGABYTE : null),
    flags: trackerFlags.filter((flag) => tracker[flag] === true),
    crossDomains: (tracker.cross_domains ?? []).join('\n'),
  }
}

/** Returns what `PATCH apps/:app` takes: the settings that the form has changed. */
export function changedSettings(app: Settings, draft: AppDraft): Partial<Settings> {
  const [before, after] = [appDraftOf(app), draft].map((one) => Object.entries(settingsOf(one)))
  return Object.fromEntries(after!.filter((setting, i) => JSON.stringify(setting) !== JSON.stringify(before![i])))
}

function settingsOf(draft: AppDraft): Settings {
  const hosts = linesOf(draft.crossDomains)
  return {
    name: draft.name.trim(),
    origins: linesOf(draft.origins),
    keep_parameters: linesOf(draft.keepParameters),
    hash_routing: draft.hashRouting,
    retention_days: draft.retention === '' ? null : Number(draft.retention),
    quota_bytes: draft.quota === '' ? null : Math.round(Number(draft.quota) * GIGABYTE),
    tracker: {
      ...Object.fromEntries(draft.flags.map((flag) => [flag, true])),
      ...(hosts.length === 0 ? {} : { cross_domains: hosts }),
    },
  }
}

/** Returns whether events that are kept today would be deleted. */
export function deletesEvents(before: Pick<App, 'retention_days'>, draft: AppDraft): boolean {
  const days = Number(draft.retention)
  if (draft.retention === '' || !Number.isInteger(days) || days < 1) return false
  return days < (before.retention_days ?? Infinity)
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function textOf(value: number | null | undefined): string {
  return typeof value === 'number' ? String(value) : ''
}
