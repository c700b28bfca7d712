import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Logger } from 'pino'

const repository = resolve(import.meta.dirname, '../../..')

/** The tracker as it was built. */
export const trackerFile = resolve(repository, 'tracker/dist/hopper.js')

/** The dashboard as it was built; nothing where it is not. */
export function builtDashboard(logger: Logger): { dashboardDir?: string } {
  const dashboardDir = resolve(repository, 'dashboard/dist')
  if (existsSync(resolve(dashboardDir, 'index.html'))) return { dashboardDir }
  logger.warn('the dashboard is not built, so only the API is served; "npm run build" builds it')
  return {}
}
