import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { environment, node, root, script } from './tools.mjs'

/**
 * `npm start [-- options]`: installs and builds what is missing, then runs Hopper until it ends. `npm start -- load
 * --demo` runs another command.
 */
await script(async (args) => {
  await install()
  await build()
  return hopper(args.length > 0 && !args[0].startsWith('-') ? args : ['start', ...args])
})

function hopper(args) {
  const child = spawn(node, [join(root, 'cli/dist/main.js'), ...args], { stdio: 'inherit', env: environment() })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code))
  })
}
