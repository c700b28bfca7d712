import { Command, CommanderError } from 'commander'
import { HopperError } from '@hopper/contracts'
import { aggregatorCommand } from './commands/aggregator.ts'
import { apiCommand } from './commands/api.ts'
import { auditCommand } from './commands/audit.ts'
import { backupCommand } from './commands/backup.ts'
import { causesOf } from './commands/causes.ts'
import { deadLettersCommand } from './commands/dead-letters.ts'
import { exportCommand } from './commands/export.ts'
import { forgetCommand } from './commands/forget.ts'
import { importCommand } from './commands/import.ts'
import { ingestCommand } from './commands/ingest.ts'
import { loadCommand } from './commands/load.ts'
import { migrateCommand } from './commands/migrate.ts'
import { rebuildCommand } from './commands/rebuild.ts'
import { retentionCommand } from './commands/retention.ts'
import { startCommand } from './commands/start.ts'

const EXIT_FAULT = 1
/** the request is invalid or cannot be fulfilled as given */
const EXIT_USAGE = 2
/** acknowledged or counted data is lost */
const EXIT_DAMAGED = 4

const program = new Command('hopper')
  .description('Self-hosted funnel analytics: one script tag, exact numbers.')
  .showHelpAfterError('(hopper help COMMAND lists its options)')
  .exitOverride()
const commands = [
  startCommand(),
  ingestCommand(),
  aggregatorCommand(),
  apiCommand(),
  migrateCommand(),
  loadCommand(),
  auditCommand(),
  rebuildCommand(),
  backupCommand(),
  exportCommand(),
  importCommand(),
  deadLettersCommand(),
  forgetCommand(),
  retentionCommand(),
]
for (const command of commands) {
  program.addCommand(command.exitOverride().copyInheritedSettings(program))
  for (const sub of command.commands) sub.copyInheritedSettings(command)
}

// What Hopper writes is for its own user: events, hashes of keys and passwords, dumps.
process.umask(0o077)
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** Prints a known error with its causes, and an unexpected one with its stack; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
  if (!(error instanceof HopperError)) {
    console.error(error)
    return EXIT_FAULT
  }
  console.error(
    [`hopper: ${error.code}: ${error.message}`, ...causesOf(error).map((cause) => `  because: ${cause}`)].join('\n'),
  )
  if (error.code === 'HOP_DATA_DAMAGED') return EXIT_DAMAGED
  return error.code === 'HOP_CONFIG' ? EXIT_USAGE : EXIT_FAULT
}
