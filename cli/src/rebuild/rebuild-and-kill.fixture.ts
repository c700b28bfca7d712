import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/**
 * Rebuilds an installation in a separate process, which is killed some time after it has begun; returns whether it was
 * killed before it was done.
 */
export async function rebuildAndKill(
  settings: Readonly<Record<string, string>>,
  afterMs: number,
  ...how: readonly 'in-place'[]
): Promise<boolean> {
  const script = join(import.meta.dirname, 'rebuilding-child.fixture.ts')
  const command = [
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    script,
    JSON.stringify(settings),
    ...how,
  ]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (text.includes('begun') && afterMs < Infinity) setTimeout(() => child.kill('SIGKILL'), afterMs)
  })
  await once(child, 'close')
  return !output.includes('done')
}
