import type { Command } from 'commander'
import { HopperError, type AuditProgress } from '@hopper/contracts'
import { auditFaultOf, RecordedAudit } from '@hopper/storage'
import { dateOption } from './option-values.ts'
import { describeDrift } from '../audit/drift.ts'
import { openInstallation, type InstallationConfig } from '../installation/open-installation.ts'
import { runAudit, type AuditReport, type AuditRequest } from '../audit/run-audit.ts'
import { commandWith } from './command-with.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'

/** exit code when drift remains in the tables */
const EXIT_DRIFT = 3
/** maximum number of lines printed; the rest is only counted */
const LINES_MAX = 1_000

/** `hopper audit`: recounts from the archive and compares every table. */
export function auditCommand(): Command {
  const description = 'recounts apps from the archive and compares every table; exit code 0 without drift, 3 with'
  return commandWith('audit', description, settingsOf.installation, async (config, options: AuditRequest) => {
    if (options.from && options.to && options.from > options.to)
      throw new HopperError('HOP_CONFIG', '--from must not be after --to.')
    // Open connections of the drivers would keep the process alive.
    process.exit(await audit(config, options))
  })
    .option('--app <id>', 'one app (default: all)')
    .option('--from <date>', 'the first date (default: that of the oldest event)', dateOption)
    .option('--to <date>', 'the last date (default: today)', dateOption)
    .option('--repair', 'correct the rows that differ; takes over the lanes, so stop the aggregator first')
    .option('--no-log', 'skip the fates duplicate and rejected, which need the whole log')
}

async function audit(config: InstallationConfig, options: AuditRequest): Promise<number> {
  if (options.repair) {
    const { assertExactTimes } = await import('../installation/open-storage.ts')
    await assertExactTimes(config, createLogger(config.logLevel, 'audit'))
  }
  const storage = await openInstallation(config)
  try {
    const { app, from, to } = options
    const order = { startedBy: 'hopper audit', app, from, to, lanes: storage.log.lanes }
    const recorded = await RecordedAudit.begin(storage.registry, order, Date.now)
    const summary = new Summary(recorded)
    const tally = await runAudit(storage, options, summary).catch(async (error: unknown) => {
      await recorded.fail(auditFaultOf(error))
      throw error
    })
    await recorded.finish(tally)
    return summary.conclude()
  } finally {
    await storage.close()
  }
}

/** Prints drift as it is found, and a summary at the end. */
class Summary implements AuditReport {
  readonly #recorded: RecordedAudit
  #found = 0
  #repaired = 0

  constructor(recorded: RecordedAudit) {
    this.#recorded = recorded
  }

  drift(...[drift, repaired]: Parameters<AuditReport['drift']>): void {
    this.#found++
    if (repaired) this.#repaired++
    if (this.#found <= LINES_MAX) console.log(`${describeDrift(drift)}${repaired ? ' (repaired)' : ''}`)
  }

  logIncomplete(lane: number): void {
    console.error(
      `lane ${lane}: the log no longer has its beginning, so duplicates and rejected events are not compared`,
    )
  }

  forgetting(app: string, lane: number): void {
    console.error(`lane ${lane}: a person of app ${app} is being forgotten, so its tables are not compared`)
  }

  reviewing(app: string, lane: number): void {
    console.error(`lane ${lane}: the bots of app ${app} are being reviewed, so its tables are not compared`)
  }

  progress(progress: AuditProgress): void {
    this.#recorded.progress(progress)
    const { lane, lanes } = progress
    if (process.stderr.isTTY) process.stderr.write(`\rlane ${lane + 1} of ${lanes}\r`)
  }

  conclude(): number {
    const left = this.#found - this.#repaired
    if (this.#found > LINES_MAX) console.log(`… and ${this.#found - LINES_MAX} more rows`)
    if (this.#found === 0) console.log('No drift: every table equals its recount.')
    else console.log(`${this.#found} rows differ, ${this.#repaired} of them repaired.`)
    if (left > 0) console.log('"hopper audit --repair" corrects rows, "hopper rebuild" recounts all tables.')
    return left > 0 ? EXIT_DRIFT : 0
  }
}
