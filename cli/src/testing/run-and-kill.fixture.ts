import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a script in a process of its own, which is killed some time (ms) after it has printed "begun"; returns whether
 * it was killed before it printed "done". `Infinity` lets it end.
 */
export async function runAndKill(script: string, args: readonly string[], afterMs: number): Promise<boolean> {
  const command = ['--conditions=source', '--disable-warning=ExperimentalWarning', script, ...args]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (text.includes('begun') && afterMs < Infinity) setTimeout(() => child.kill('SIGKILL'), afterMs)
  })
  await once(child, 'close')
  return !output.includes('done')
}
