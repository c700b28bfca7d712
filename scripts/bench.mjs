import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { Failure, node, root, run, script } from './tools.mjs'

/** `npm run bench [-- NAME...]`: builds and runs the benches, all of them or those named; see bench/src/main.ts. */
await script(async (args) => {
  await install()
  await build()
  const { code } = await run('tsc', ['-b', 'bench'])
  if (code !== 0) throw new Failure('the build of bench failed; see its message above.')
  return (await run(node, [join(root, 'bench/dist/main.js'), ...args])).code
})
