import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { environment, node, script } from './tools.mjs'

/** `npm start`: installs and builds what is missing, then runs the standalone product until it ends or is told to. */
await script(async (args) => {
  await install()
  await build()
  return serve(args)
})

function serve(args) {
  // In the folder of the caller, so that relative paths mean what they say.
  const child = spawn(node, ['cli/dist/main.js', 'start', ...args], { stdio: 'inherit', env: environment() })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code))
  })
}
