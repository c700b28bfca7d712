import { Command, Option } from 'commander'
import { deadLetterReasons, HopperError, type DeadLetterReason } from '@hopper/contracts'
import { findLetters, replayLetters, type LetterQuery } from '@hopper/storage'
import { isCluster, openInstallation, type InstallationConfig } from '../installation/open-installation.ts'
import { commandWith } from './command-with.ts'
import { describeLetter, jsonOfLetter } from '../dead-letters/describe-letter.ts'
import { createLogger } from '../logging/logger.ts'
import { countAll } from '../rebuild/count-all.ts'
import { settingsOf } from '../config/settings.ts'
import { wholeNumber } from './option-values.ts'

const LIMIT = 100
const LIMIT_MAX = 10_000

interface Filters {
  readonly app?: string
  readonly reason?: DeadLetterReason
}

interface ListOptions extends Filters {
  readonly lane?: number
  readonly from?: number
  readonly limit: number
  readonly json?: true
  readonly values?: true
}

/** `hopper dead-letters`: messages of the log that could not be counted. */
export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description(
    'lists the messages of the log that could not be counted, and replays them when the cause is fixed',
  )
  return command.addCommand(listCommand()).addCommand(replayCommand())
}

function listCommand(): Command {
  const description = 'lists dead letters by lane and position, one per line'
  const command = commandWith('list', description, settingsOf.installation, async (config, options: ListOptions) => {
    await list(config, options)
    // Open connections of the drivers would keep the process alive.
    process.exit(0)
  })
  return withFilters(command)
    .option('--lane <lane>', 'only those of this lane', wholeNumber(0, 1_023))
    .option(
      '--from <position>',
      'only those from this position on; needs --lane',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--limit <n>', 'maximum number of dead letters', wholeNumber(1, LIMIT_MAX), LIMIT)
    .option('--json', 'print one JSON object per line')
    .option('--values', 'with --json: include the message itself, as text or base64')
}

function replayCommand(): Command {
  const description =
    'appends dead letters that can be counted now to the log again, each once, and removes them from the list'
  const command = commandWith(
    'replay',
    description,
    settingsOf.installation,
    async (config, options: Filters & { readonly all?: true }, ...places) => {
      await replay(config, options, places)
      process.exit(0)
    },
  )
  return withFilters(command)
    .argument('[places...]', 'the dead letters to replay, as LANE/POSITION')
    .option('--all', 'replay all dead letters')
}

function withFilters(command: Command): Command {
  return command
    .option('--app <id>', 'only those of this app, as far as their messages name one')
    .addOption(new Option('--reason <reason>', 'only those with this reason').choices(deadLetterReasons))
}

async function list(config: InstallationConfig, { limit, json, values, ...query }: ListOptions): Promise<void> {
  if (query.from !== undefined && query.lane === undefined) throw new HopperError('HOP_CONFIG', '--from needs --lane.')
  const storage = await openInstallation(config)
  try {
    let shown = 0
    for await (const letter of findLetters(storage, query)) {
      if (shown++ === limit) {
        console.error(`There are more: continue with --lane ${letter.lane} --from ${letter.position}.`)
        return
      }
      console.log(json ? JSON.stringify(jsonOfLetter(letter, values === true)) : describeLetter(letter))
    }
    if (!json) console.error(`${shown} dead letters.`)
  } finally {
    await storage.close()
  }
}

async function replay(
  config: InstallationConfig,
  { all, ...filters }: Filters & { readonly all?: true },
  places: readonly string[],
): Promise<void> {
  const parsedPlaces = places.map(placeOf)
  if (places.length === 0 && filters.reason === undefined && filters.app === undefined && !all) {
    throw new HopperError('HOP_CONFIG', 'Name the dead letters: LANE/POSITION, --reason, --app or --all.')
  }
  const query: LetterQuery = parsedPlaces.length > 0 ? { ...filters, places: parsedPlaces } : filters
  const storage = await openInstallation(config)
  try {
    const { replayed, left } = await replayLetters(storage, query, (letter, why) =>
      console.error(`left: ${describeLetter(letter)} (${why})`),
    )
    // In a cluster the aggregators count them.
    if (replayed > 0 && !isCluster(config))
      await countAll(storage, createLogger(config.logLevel, 'dead-letters'), () => undefined)
    console.log(`${replayed} dead letters replayed, ${left} left.`)
  } finally {
    await storage.close()
  }
}

function placeOf(text: string): { lane: number; position: number } {
  const [, lane, position] = /^(\d{1,4})\/(\d{1,15})$/.exec(text) ?? []
  if (lane === undefined)
    throw new HopperError(
      'HOP_CONFIG',
      `A dead letter is named as LANE/POSITION, like 3/1204, not ${JSON.stringify(text)}.`,
    )
  return { lane: Number(lane), position: Number(position) }
}
