import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { Failure, root, run, script } from './tools.mjs'

const resultsFile = '.build/vitest.json'

/** Checks of the whole repository besides the tests; each counts as one. */
const gates = [
  { name: 'types', by: ['tsc', '-b'] },
  { name: 'lint', by: ['npm', 'run', '--silent', 'lint'] },
  { name: 'format', by: ['npm', 'run', '--silent', 'format'] },
]

/** Needs the build: a test page imports the tracker as its package, which has no sources for others. */
const importRules = { name: 'import rules', by: ['npm', 'run', '--silent', 'lint:imports'] }

/**
 * `npm test [-- filter or options of vitest]`: sets up what is missing, then runs every gate and every test that this
 * machine can run.
 */
await script(async (args) => {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const add = (more) => Object.keys(more).forEach((key) => (counts[key] += more[key]))
  try {
    await install()
    for (const outcome of await Promise.all(gates.map(gate))) add(outcome)
    add(await builds())
    add(await gate(importRules))
    add(await tests(args))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    add(failed(error.message))
  }
  if (counts.skipped > 0)
    console.log(`\n${counts.skipped} tests were skipped: this machine cannot run them (their names say why)`)
  console.log(`\n${counts.passed} passed, ${counts.failed} failed`)
  return counts.failed === 0 ? 0 : 1
})

async function builds() {
  try {
    await build()
    return passed('build')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return failed(`build: ${error.message}`)
  }
}

async function gate({ name, by: [program, ...args] }) {
  const { code, output } = await run(program, args, { quiet: true })
  if (code === 0) return passed(name)
  process.stdout.write(output)
  return failed(name)
}

async function tests(args) {
  rmSync(join(root, resultsFile), { force: true })
  const { code } = await run('vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultsFile}`,
    ...args,
  ])
  if (!existsSync(join(root, resultsFile))) return code === 0 ? {} : failed('vitest')
  const results = JSON.parse(readFileSync(join(root, resultsFile), 'utf8'))
  // A file that cannot be loaded has no failed test, but is a failure.
  const broken = results.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  const failures = results.numFailedTests + broken.length
  return {
    passed: results.numPassedTests,
    failed: code !== 0 && failures === 0 ? 1 : failures,
    skipped: results.numPendingTests + results.numTodoTests,
  }
}

function passed(name) {
  console.log(`  ok      ${name}`)
  return { passed: 1 }
}

function failed(name) {
  console.log(`  FAILED  ${name}`)
  return { failed: 1 }
}
