import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Logger } from 'pino'

const repository = resolve(import.meta.dirname, '../../..')

/** The built tracker. */
export const trackerFile = resolve(repository, 'tracker/dist/hopper.js')

/** The directory of the built dashboard; an empty object when there is no build. */
export function builtDashboard(logger: Logger): { dashboardDir?: string } {
  const dashboardDir = resolve(repository, 'dashboard/dist')
  if (existsSync(resolve(dashboardDir, 'index.html'))) return { dashboardDir }
  logger.warn('the dashboard is not built, so only the API is served; "npm run build" builds it')
  return {}
}
