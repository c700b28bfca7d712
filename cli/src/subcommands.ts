import type { Command } from 'commander'

/** The subcommands, each loaded when it is run: most share little code with the others. */
export const subcommands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  ingest: async () => (await import('./commands/ingest.ts')).ingestCommand(),
  aggregator: async () => (await import('./commands/aggregator.ts')).aggregatorCommand(),
  api: async () => (await import('./commands/api.ts')).apiCommand(),
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  load: async () => (await import('./commands/load.ts')).loadCommand(),
  audit: async () => (await import('./commands/audit.ts')).auditCommand(),
  rebuild: async () => (await import('./commands/rebuild.ts')).rebuildCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  export: async () => (await import('./commands/export.ts')).exportCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).deadLettersCommand(),
  forget: async () => (await import('./commands/forget.ts')).forgetCommand(),
  retention: async () => (await import('./commands/retention.ts')).retentionCommand(),
}
