import { Command, Option } from 'commander'
import { readConfig, settings, unknownVariables, type Config, type Setting, type SettingName } from './config.ts'
import { greet } from './greeting.ts'
import { createLogger } from './logger.ts'
import { nextSignal, onRepeatedSignal } from './signals.ts'

const CLOSE_MS_MAX = 15_000

/** `hopper start`: ingest, aggregator, API and dashboard in one process over one directory. */
export function startCommand(): Command {
  const command = new Command('start').description('runs Hopper in one process over one directory')
  for (const name of Object.keys(settings) as SettingName[]) {
    const setting: Setting<unknown> = settings[name]
    const shown = setting.default === undefined ? setting.help : `${setting.help} (default: ${setting.default})`
    const option = new Option(`${setting.flag} <value>`, `${shown} [${setting.variable}]`)
    command.addOption(name.startsWith('unsafe') ? option.hideHelp() : option)
  }
  return command.action((flags: Partial<Record<SettingName, string>>) => start(readConfig(flags)))
}

async function start(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel, 'hopper')
  for (const name of unknownVariables()) logger.warn({ variable: name }, 'no such setting; see docs/operating.md')
  const stop = nextSignal()
  // Only here, so that the other subcommands need not load the whole product.
  const { startStandalone } = await import('./standalone-main.ts')
  const running = await startStandalone(config, logger)
  process.stdout.write(greet(running.welcome))
  const end = await Promise.race([stop, running.failed])
  if (end instanceof Error) {
    logger.fatal({ err: end }, 'a part of Hopper has failed, so the process ends; what was acknowledged is safe in the log')
    process.exit(1)
  }
  logger.info({ signal: end }, 'stopping')
  onRepeatedSignal(() => process.exit(1))
  setTimeout(() => {
    logger.fatal(`not closed within ${CLOSE_MS_MAX} ms, so the process ends; what was acknowledged is safe in the log`)
    process.exit(1)
  }, CLOSE_MS_MAX).unref()
  await running.close()
  logger.info('stopped')
  // Whatever a dependency has left open must not keep the process.
  process.exit(0)
}
