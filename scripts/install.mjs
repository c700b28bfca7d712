import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf, isStamped, stamp } from './stamp.mjs'
import { Failure, node, root, run } from './tools.mjs'

const NODE_MAJOR_MIN = 20
const stampFile = 'node_modules/.hopper-stamp'

/** Installs the packages of package-lock.json, unless they are there. */
export async function install() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
    throw new Failure(
      `this is Node ${process.versions.node}; Hopper's scripts need Node ${NODE_MAJOR_MIN} or later ` +
        'to start (they install their own newer one).',
    )
  }
  const wanted = hashOf(['package-lock.json'])
  if (isStamped(stampFile, wanted) && existsSync(node)) return
  if (!isInstalled()) await runNpm()
  stamp(stampFile, wanted)
}

async function runNpm() {
  console.log('hopper: installing packages (npm ci), once ...')
  const { code } = await run(
    'npm',
    [
      'ci',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--fetch-retry-mintimeout=2000',
      '--fetch-retry-maxtimeout=8000',
      '--loglevel=error',
    ],
    { env: process.env },
  )
  if (code === 127) throw new Failure('npm was not found; install it beside Node, then try again.')
  if (code !== 0) {
    throw new Failure(
      'npm ci failed (see its message above). Without a network connection the first start ' +
        'is not possible; later ones are.',
    )
  }
  if (!existsSync(node))
    throw new Failure('npm ci installed no Node 24 (package "node"); npm must be allowed to run its install script.')
}

/**
 * Checks whether node_modules contains exactly what the lock file names. npm records what it has installed in
 * node_modules/.package-lock.json.
 */
function isInstalled() {
  const installed = packagesOf('node_modules/.package-lock.json')
  const wanted = packagesOf('package-lock.json')
  if (!installed || !wanted || !existsSync(node)) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    if (!installed[path]) return Boolean(entry.optional || entry.devOptional || entry.peer)
    return installed[path].version === entry.version && installed[path].integrity === entry.integrity
  })
}

function packagesOf(lockFile) {
  const path = join(root, lockFile)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}
