import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ApiOptions } from '@hopper/api'
import { TrackerScripts } from '@hopper/ingest'
import type { Logger } from 'pino'

const repository = resolve(import.meta.dirname, '../../..')

/** The built tracker. */
export const trackerFile = resolve(repository, 'tracker/dist/hopper.js')

/** The builds of the tracker, for the tags that the API shows; an empty object when there is no build. */
export async function builtTracker(): Promise<Pick<ApiOptions, 'trackerScript'>> {
  if (!existsSync(trackerFile)) return {}
  const scripts = await TrackerScripts.open(trackerFile)
  return { trackerScript: (app) => scripts.of(app) }
}

/** The directory of the built dashboard; an empty object when there is no build. */
export function builtDashboard(logger: Logger): { dashboardDir?: string } {
  const dashboardDir = resolve(repository, 'dashboard/dist')
  if (existsSync(resolve(dashboardDir, 'index.html'))) return { dashboardDir }
  logger.warn('the dashboard is not built, so only the API is served; "npm run build" builds it')
  return {}
}
