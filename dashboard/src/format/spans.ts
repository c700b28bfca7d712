const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400
/** seconds of each unit, and up to how many seconds it is used */
const units = [
  { name: 's', seconds: 1, below: 1.5 * MINUTE },
  { name: 'min', seconds: MINUTE, below: 1.5 * HOUR },
  { name: 'h', seconds: HOUR, below: 2 * DAY },
] as const
const longUnits = [
  { one: 'day', many: 'days', seconds: DAY, below: 60 * DAY },
  { one: 'month', many: 'months', seconds: 30.44 * DAY, below: 730 * DAY },
  { one: 'year', many: 'years', seconds: 365.25 * DAY, below: Infinity },
] as const
/** A forecast beyond this is as good as never. */
const YEARS_MAX = 100

/** Formats a long time by its largest unit, for people who need the order of it: 40 s, 4 h, 3 days, 3 years. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, seconds)
  const short = units.find(({ below }) => whole < below)
  if (short) return `${Math.round(whole / short.seconds)} ${short.name}`
  if (whole > YEARS_MAX * 365.25 * DAY) return `more than ${YEARS_MAX} years`
  const { one, many, seconds: size } = longUnits.find(({ below }) => whole < below)!
  const n = Math.round(whole / size)
  return `${n} ${n === 1 ? one : many}`
}
