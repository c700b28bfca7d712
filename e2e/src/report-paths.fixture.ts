const REPORTS = [
  'stages/users',
  'stages/users?count_by=device',
  'stages/conversion',
  'stages/time',
  'stages/graph',
  'elements/actions',
  `elements/durations?xpath=${encodeURIComponent("//*[@id='b1']")}`,
  'elements/twins',
  'pages/views',
  'clicks',
  'agents?by=device',
  'agents?by=browser',
  'agents?by=os',
  'agents?by=country',
  'traffic?by=day',
  'journeys?depth=4',
  'sources?by=channel',
  'sources?by=landing_page',
  'loss?by=day',
  'loss?by=browser',
  'keys?prefix=',
]

/** Lists the paths, below an app, of the funnels, the elements and each report of the dates `from` to `to`. */
export function reportPaths(from: string, to: string, more: readonly string[] = []): string[] {
  return [...REPORTS, ...more]
    .map((path) => `${path}${path.includes('?') ? '&' : '?'}from=${from}&to=${to}`)
    .concat('funnels', 'elements')
}
