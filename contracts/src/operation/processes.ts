import { Type, type Static } from 'typebox'

/** Kinds of problems that a process keeps; the newest remain. */
export const PROBLEMS_KEPT = 20
/** A process that was not seen for this long is forgotten. */
export const PROCESS_KEPT_MS = 7 * 86_400_000
/** Processes that are kept; one that starts again and again adds one each time. */
export const PROCESSES_MAX = 100
/** Maximum interval between two reports of a running process. */
export const PROCESS_SEEN_MS = 60_000

const instant = (description: string): ReturnType<typeof Type.Integer> =>
  Type.Integer({ description: `${description}, ms since the epoch` })

/** A warning or an error of the log of a process: its text is one of Hopper's own, without values. */
export const ProcessProblem = Type.Object({
  level: Type.Enum(['warn', 'error', 'fatal']),
  message: Type.String(),
  codes: Type.Array(Type.String(), { description: 'of the error and its causes, as `HOP_STORE_UNAVAILABLE`' }),
  times: Type.Integer({ minimum: 1, description: 'since the start of the process' }),
  last_at: instant('when it was last written'),
})
export type ProcessProblem = Static<typeof ProcessProblem>

/** A process of Hopper, or a thread that writes a log of its own. */
export const ProcessReport = Type.Object({
  id: Type.String({ description: 'another one for each start' }),
  name: Type.String({ description: 'as in its log: hopper, ingest, aggregator, api' }),
  version: Type.String(),
  started_at: instant('its start'),
  seen_at: instant('its last report; it makes one each minute'),
  ended_at: Type.Optional(instant('its orderly end')),
  problems: Type.Array(ProcessProblem, { description: 'the last ones, the newest first' }),
})
export type ProcessReport = Static<typeof ProcessReport>

/** `GET /api/v1/processes`. */
export const Processes = Type.Object({
  processes: Type.Array(ProcessReport, { description: 'those of the last week, the last seen first' }),
})
export type Processes = Static<typeof Processes>
