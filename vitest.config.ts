import { defineConfig } from 'vitest/config'

// Workspaces resolve to their sources, so a test never runs a stale build. Only this condition is added: vitest hands
// the list on to Node, where others, such as `import`, would give a `require` inside a dependency the wrong file.
const conditions = ['source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['*/src/**/*.test.ts', '*/src/**/*.test.tsx', '*/test/**/*.test.ts'],
    globalSetup: ['e2e/src/engines/global-setup.ts'],
    // The client of the Model Context Protocol imports a package that ships its TypeScript under the same condition,
    // which Node does not load from node_modules.
    server: { deps: { inline: [/@modelcontextprotocol\/sdk\/dist\/esm\/client/, /eventsource-parser/] } },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
