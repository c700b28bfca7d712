import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { install } from './install.mjs'
import { hashOf, isStamped, stamp } from './stamp.mjs'
import { compileCache, Failure, isMain, root, run, script } from './tools.mjs'

const settings = ['package-lock.json', 'tsconfig.base.json']
const services = ['contracts', 'storage', 'cql', 'engine', 'ingest', 'aggregator', 'api', 'cli', 'node']

/**
 * The build steps: their sources, their command, and a file that exists afterwards. Stages run in sequence, the builds
 * of one stage in parallel.
 */
const stages = [
  [
    {
      name: 'tracker',
      from: ['tracker', 'contracts'],
      made: ['tracker/dist/hopper.js'],
      by: ['npm', 'run', '--silent', 'build', '-w', '@hopper/tracker'],
    },
  ],
  [
    {
      name: 'services',
      from: [...services, 'tracker/src'],
      made: services.map((service) => `${service}/dist/index.js`),
      // `npm test` checks the types; those who only run Hopper need not wait for that.
      by: ['tsc', '-b', 'cli', 'node', '--noCheck'],
    },
    {
      name: 'dashboard',
      from: ['dashboard', 'contracts'],
      made: ['dashboard/dist/index.html'],
      by: ['npm', 'run', '--silent', 'build', '-w', '@hopper/dashboard'],
    },
  ],
]

/** Builds what has changed since the last build. Runs nothing when nothing has. */
export async function build() {
  for (const stage of stages) {
    const outcomes = await Promise.all(stage.map(buildOne))
    const failed = outcomes.filter(({ code }) => code !== 0)
    for (const { output } of failed) process.stderr.write(output)
    if (failed.length > 0)
      throw new Failure(`the build of ${failed.map(({ name }) => name).join(' and ')} failed; see its message above.`)
  }
}

async function buildOne({ name, from, made, by: [program, ...args] }) {
  const stampFile = `.build/${name}.stamp`
  const hash = hashOf([...from, ...settings])
  if (isStamped(stampFile, hash) && made.every((file) => existsSync(join(root, file))))
    return { name, code: 0, output: '' }
  console.log(`hopper: building ${name} ...`)
  rmSync(compileCache, { recursive: true, force: true, maxRetries: 5 })
  const outcome = await run(program, args, { quiet: true })
  if (outcome.code === 0) stamp(stampFile, hash)
  return { name, ...outcome }
}

if (isMain(import.meta.url)) {
  await script(async () => {
    await install()
    await build()
    return 0
  })
}
