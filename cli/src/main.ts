import { Command, CommanderError } from 'commander'
import { HopperError } from '@hopper/contracts'
import { causesOf } from './commands/causes.ts'
import { subcommands } from './subcommands.ts'

const EXIT_FAULT = 1
/** the request is invalid or cannot be fulfilled as given */
const EXIT_USAGE = 2
/** acknowledged or counted data is lost */
const EXIT_DAMAGED = 4

const program = new Command('hopper')
  .description('Self-hosted funnel analytics: one script tag, exact numbers.')
  .showHelpAfterError('(hopper help COMMAND lists its options)')
  .exitOverride()

const wanted = process.argv[2]
// The help and the message about an unknown subcommand need all of them.
const loaded =
  wanted !== undefined && Object.hasOwn(subcommands, wanted) ? [subcommands[wanted]!] : Object.values(subcommands)
for (const command of await Promise.all(loaded.map((load) => load()))) {
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
