const workspaces = 'contracts|tracker|node|ingest|storage|aggregator|cql|engine|api|dashboard|cli|e2e|bench'
/** Import rules between the folders (docs/architecture.md). */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      // React Aria names sources for the condition of ours below, and does not ship them.
      to: { couldNotResolve: true, pathNot: '^react-aria-components/' },
    },
    {
      name: 'contracts-imports-none-of-ours',
      severity: 'error',
      from: { path: '^contracts/' },
      to: { path: `^(${workspaces})/`, pathNot: '^contracts/' },
    },
    {
      name: 'engine-imports-only-contracts',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: `^(${workspaces})/`, pathNot: '^(engine|contracts)/' },
    },
    {
      name: 'storage-imports-only-contracts',
      severity: 'error',
      from: { path: '^storage/' },
      to: { path: `^(${workspaces})/`, pathNot: '^(storage|contracts|cql)/' },
    },
    {
      name: 'node-client-imports-nothing-but-node',
      severity: 'error',
      from: { path: '^node/', pathNot: '\\.(test|fixture)\\.ts$' },
      to: { pathNot: '^node/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'ports-import-no-adapter',
      severity: 'error',
      from: { path: '^storage/src/(ports|contract)/' },
      to: { path: '^storage/src/(embedded|kafka|cassandra|spool)/' },
    },
    {
      name: 'only-composition-names-an-adapter',
      severity: 'error',
      from: {
        path: '^(ingest|aggregator|api|cli|dashboard|tracker)/',
        pathNot: [
          '^cli/src/(processes|installation)/',
          '^cli/src/rebuild/.*-main\\.ts$',
          '\\.(test|fixture)\\.ts$',
          '/testing/',
        ],
      },
      to: { path: '^storage/src/(embedded|kafka|cassandra|spool)/' },
    },
    {
      name: 'the-flow-has-one-direction',
      severity: 'error',
      from: { path: '^(ingest|aggregator|api)/' },
      to: { path: '^(cli|e2e|bench|dashboard)/' },
    },
    {
      name: 'parts-meet-only-in-the-log-and-the-tables',
      severity: 'error',
      from: { path: '^(ingest|aggregator|api)/' },
      to: { path: '^(ingest|aggregator|api)/', pathNot: '^$1/' },
    },
    {
      name: 'no-drawers',
      severity: 'error',
      from: {},
      to: { path: `^(${workspaces})/.*/(utils?|common|helpers?|misc)(/|\\.ts$)` },
    },
    { name: 'no-inner-barrels', severity: 'error', from: {}, to: { path: `^(${workspaces})/src/.+/index\\.tsx?$` } },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: {
        path: '^(contracts|ingest|storage|aggregator|engine|api|cli)/src',
        pathNot: ['\\.(test|fixture)\\.ts$', '/contract/', '/testing/'],
      },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|node_modules/|^bench/k6/)' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
    },
  },
}
