import { Inject, Injectable } from '@nestjs/common'
import { decodeEnvelope, HopperError, limits, type Envelope } from '@hopper/contracts'
import {
  findLetters,
  letterAt,
  letterContent,
  letterFields,
  replayLetter,
  type EventLog,
  type FoundLetter,
  type Registry,
  type TableReader,
  type TableWriter,
} from '@hopper/storage'
import type { Caller } from '../access/caller.ts'
import {
  LETTERS_DEFAULT,
  PAGE_BYTES_MAX,
  type DeadLetters,
  type DeadLettersParameters,
  type LettersToReplay,
  type ReplayedLetters,
} from '../answers/dead-letters.ts'
import { invalidFields } from '../http/checked.ts'
import { LOG, READER, REGISTRY, WRITER } from '../tokens.ts'

/** Letters that one call reads, of any app: a page ends there even if the caller may see none of them. */
const LETTERS_READ_MAX = 1_000
const READ_BYTES_MAX = 20_000_000
/** Calls that wait for a replay under way; more are refused. */
const REPLAYS_WAITING_MAX = 8

type LetterWriter = Pick<TableWriter, 'removeDeadLetters' | 'markReplayed'>
type IsVisible = (letter: FoundLetter) => boolean

/**
 * Lists and replays messages of the log that could not be counted. They may hold data of any app, so an organization
 * sees those that name one of its apps. A letter that names no app of the installation is seen only if there is just
 * one organization.
 */
@Injectable()
export class DeadLettersService {
  private readonly log: EventLog
  private readonly reader: TableReader
  private readonly writer: LetterWriter
  private readonly registry: Registry
  /** Two replays of one letter at the same time could append it twice, so this process runs one at a time. */
  private replaying: Promise<unknown> = Promise.resolve()
  private waiting = 0

  constructor(
    @Inject(LOG) log: EventLog,
    @Inject(READER) reader: TableReader,
    @Inject(WRITER) writer: LetterWriter,
    @Inject(REGISTRY) registry: Registry,
  ) {
    this.log = log
    this.reader = reader
    this.writer = writer
    this.registry = registry
  }

  async page(caller: Caller, { limit = LETTERS_DEFAULT, cursor }: DeadLettersParameters): Promise<DeadLetters> {
    const isVisible = await this.visibleTo(caller)
    const [lane = 0, position = 0] = cursor?.split('.').map(Number) ?? []
    const rows: DeadLetters['rows'] = []
    let [read, readBytes, bytes] = [0, 0, 0]
    for await (const letter of findLetters({ log: this.log, reader: this.reader }, { start: { lane, position } })) {
      const isShown = isVisible(letter)
      const isFull = rows.length >= limit || (rows.length > 0 && bytes + letter.value.length > PAGE_BYTES_MAX)
      if ((isShown && isFull) || read >= LETTERS_READ_MAX || readBytes >= READ_BYTES_MAX)
        return { rows, next: `${letter.lane}.${letter.position}` }
      read++
      readBytes += letter.value.length
      if (!isShown) continue
      bytes += letter.value.length
      rows.push(viewOf(letter))
    }
    return { rows, next: null }
  }

  /**
   * Appends letters to the log again, as they are or corrected.
   * @throws HopperError HOP_RATE if too many calls wait already
   */
  async replay(caller: Caller, parameters: LettersToReplay): Promise<ReplayedLetters> {
    if (this.waiting >= REPLAYS_WAITING_MAX)
      throw new HopperError('HOP_RATE', 'Other replays are under way.', { details: { retry_after_seconds: 5 } })
    this.waiting++
    const replayed = this.replaying.then(() => this.replayNow(caller, parameters)).finally(() => this.waiting--)
    this.replaying = replayed.catch(() => undefined)
    return replayed
  }

  private async replayNow(caller: Caller, { lane, positions, value }: LettersToReplay): Promise<ReplayedLetters> {
    const corrected = value && envelopeOf(value, positions)
    const isVisible = await this.visibleTo(caller)
    const left: ReplayedLetters['left'] = []
    let replayed = 0
    for (const position of new Set(positions)) {
      const letter = lane < this.log.lanes ? await letterAt(this.reader, lane, position) : undefined
      const why =
        letter && isVisible(letter)
          ? await this.replayOne(letter, corrected, isVisible)
          : 'there is no such dead letter'
      if (why === undefined) replayed++
      else left.push({ lane, position, why })
    }
    return { replayed, left }
  }

  private async replayOne(
    letter: FoundLetter,
    corrected: CorrectedMessage | undefined,
    isVisible: IsVisible,
  ): Promise<string | undefined> {
    if (corrected && !isOfSameApp(letter, corrected, isVisible))
      throw invalidFields([{ field: 'value.app', message: `must be ${letter.app ?? 'an app of the organization'}` }])
    const store = { log: this.log, reader: this.reader, writer: this.writer, registry: this.registry }
    return replayLetter(store, letter, corrected?.value)
  }

  private async visibleTo({ organization }: Caller): Promise<IsVisible> {
    const [organizations, apps] = await Promise.all([this.registry.organizations.list(''), this.registry.apps.list()])
    const owners = new Map(apps.map((app) => [app.id, app.organization]))
    const isAlone = organizations.every(({ id }) => id === organization)
    return ({ app }) => {
      const owner = app === undefined ? undefined : owners.get(app)
      return owner === undefined ? isAlone : owner === organization
    }
  }
}

interface CorrectedMessage {
  readonly app: string
  readonly value: Uint8Array
}

/** A letter that names no app may become a message of any app whose letters the caller sees. */
function isOfSameApp(letter: FoundLetter, { app }: CorrectedMessage, isVisible: IsVisible): boolean {
  return letter.app === undefined ? isVisible({ ...letter, app }) : letter.app === app
}

/** @throws HopperError HOP_PARAM_INVALID for a message that is not an envelope, or of several letters */
function envelopeOf(sent: object, positions: readonly number[]): CorrectedMessage {
  if (positions.length !== 1)
    throw invalidFields([{ field: 'value', message: 'applies to one letter; name only the position of that one' }])
  const value = Buffer.from(JSON.stringify(sent))
  let envelope: Envelope
  try {
    envelope = decodeEnvelope(value)
  } catch (error) {
    throw invalidFields([{ field: 'value', message: `is not an envelope: ${(error as Error).message}` }])
  }
  const { events, rejected = [] } = envelope
  if (events.length + (Array.isArray(rejected) ? rejected.length : 0) > limits.eventsPerBatchMax)
    throw invalidFields([{ field: 'value', message: `has more than ${limits.eventsPerBatchMax} events` }])
  return { app: envelope.app, value }
}

function viewOf(letter: FoundLetter): DeadLetters['rows'][number] {
  return { ...letterFields(letter), ...letterContent(letter.value) }
}
