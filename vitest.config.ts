import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Workspaces resolve to their sources, so a test never runs a stale build. Only this condition is added: vitest hands
// the list on to Node, where others, such as `import`, would give a `require` inside a dependency the wrong file.
const conditions = ['source']

/** Tests that start engines or Hopper: a process of its own for each file. */
const long = ['*/{src,test}/**/*.{e2e,int}.test.ts']
const short = ['*/{src,test}/**/*.test.{ts,tsx}']

/** Starts files that take longest first, so that none of them is left to run alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => /\.(e2e|int)\.test\.ts$/.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    projects: [
      // These share nothing that outlives a test, so a worker loads the modules once for many files.
      { extends: true, test: { name: 'short', include: short, exclude: long, isolate: false } },
      { extends: true, test: { name: 'long', include: long } },
    ],
    globalSetup: ['e2e/src/engines/global-setup.ts'],
    // The client of the Model Context Protocol imports a package that ships its TypeScript under the same condition,
    // which Node does not load from node_modules.
    server: { deps: { inline: [/@modelcontextprotocol\/sdk\/dist\/esm\/client/, /eventsource-parser/] } },
    pool: 'forks',
    // V8 ends a process now and then whose threads come and go on a processor with memory protection keys ("Check
    // failed: jit_page.has_value()", seen once); see https://github.com/nodejs/node/issues/64500.
    execArgv: ['--no-memory-protection-keys'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
    sequence: { sequencer: LongestFirst },
  },
})
