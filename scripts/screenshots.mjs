import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { node, root, run, script } from './tools.mjs'

/** `npm run screenshots [-- PAGE...]`: takes the pictures in docs/screenshots of a Hopper with demo data. */
await script(async (args) => {
  await install()
  await build()
  return (await run(node, [join(root, 'e2e/src/dashboard/take-screenshots.ts'), ...args])).code
})
