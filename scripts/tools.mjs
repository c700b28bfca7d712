import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))
/** The Node that Hopper runs on, installed by npm; the machine's own may be older. */
export const node = join(root, 'node_modules', '.bin', 'node')

/** Ends the script with one plain sentence that says what to do. */
export class Failure extends Error {}

/** Where Node keeps compiled code between starts; a build removes what earlier ones have left. */
export const compileCache = join(root, '.build', 'compile-cache')

/**
 * npm scripts and tools find Hopper's Node first, and npm never waits for an answer to a prompt. Whatever runs in Node
 * compiles its modules once, threads and processes of tests included.
 */
export const environment = () => ({
  NODE_COMPILE_CACHE: compileCache,
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
})

/**
 * Runs a program. Returns `{ code, output }`; output is collected when `quiet`, else it goes to the terminal directly.
 * A program that cannot be started has code 127.
 */
export function run(program, args, { quiet = false, env = environment() } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' })
    const chunks = []
    child.stdout?.on('data', (chunk) => chunks.push(chunk))
    child.stderr?.on('data', (chunk) => chunks.push(chunk))
    const output = () => Buffer.concat(chunks).toString()
    child.on('error', (error) => resolve({ code: 127, output: `${output()}${error.message}\n` }))
    child.on('close', (code, signal) => resolve({ code: signal ? 1 : code, output: output() }))
  })
}

/** Runs `main` and turns a Failure into one clear message and exit code 1. */
export async function script(main) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`\nhopper: ${error.message}\n`)
    process.exitCode = 1
  }
}

/** Checks whether the file with this `import.meta.url` was started by `node FILE`, not imported. */
export const isMain = (url) => process.argv[1] !== undefined && fileURLToPath(url) === process.argv[1]
