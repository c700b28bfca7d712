import type { Value } from '@hopper/contracts'
import type { NumberColumn, RowColumns } from '@hopper/engine'

const DAY_MS = 86_400_000
const STEPS = ['view', 'cart', 'checkout', 'pay', 'done'] as const
export const generatedSteps: readonly string[] = STEPS
export const GENERATED_FROM = 1_767_225_600_000
export const GENERATED_DAYS = 30

/** A small fast random number generator (mulberry32), so that every run has the same data. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Returns cumulative weights of a Zipf-like distribution, of every `stride`th rank. */
function zipf(n: number, exponent: number, shift = 0, stride = 1): Float64Array {
  const sums = new Float64Array(n)
  let sum = 0
  for (let i = 0; i < n; i++) sums[i] = sum += 1 / (i * stride + 1 + shift) ** exponent
  return sums.map((value) => value / sum)
}

function pick(sums: Float64Array, share: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sums[middle]! < share) low = middle + 1
    else high = middle
  }
  return low
}

const names = [...STEPS, ...Array.from({ length: 35 }, (_, i) => `event_${String(i).padStart(2, '0')}`)]
const countries = Array.from({ length: 50 }, (_, i) => String.fromCharCode(65 + Math.floor(i / 10), 65 + (i % 10)))
const urls = Array.from({ length: 5_000 }, (_, i) => `/shop/category-${i % 37}/item-${String(i).padStart(4, '0')}`)
const plans = ['free', 'team', 'pro', 'enterprise']

const IDENTIFIED_EVERY = 5
const SHARED_EVERY = 100
/** multiples of it are spread evenly between 0 and 1 */
const GOLDEN = 0.618033988749895

/**
 * Identifies every fifth device from its second event on. Every hundredth shares its user with a device of the
 * neighbouring lane.
 */
export function userOfRun(lane: number, run: number): string | null {
  if (run % IDENTIFIED_EVERY > 0) return null
  return `user-${run % SHARED_EVERY === 0 ? lane & ~1 : lane}-${run}`
}

function usersOf(lane: number, runs: readonly number[]): { codes: Uint32Array; values: readonly Value[] } {
  const values: (string | null)[] = [null]
  const codes = runs.flatMap((rows, run) => {
    const user = userOfRun(lane, run)
    if (user !== null) values.push(user)
    return Array.from({ length: rows }, (_, row) => (user === null || row === 0 ? 0 : values.length - 1))
  })
  return { codes: Uint32Array.from(codes), values: values as readonly Value[] }
}

/**
 * Generates events of one lane over 30 days with the distributions of `shared/baselines/gen.py`: one session per device
 * and the rest Zipf-like, funnel depth with drop-off, gaps of 45 s, a long gap in 15 % of the deeper sessions, 40
 * names. There are about `rows` rows and a tenth as many devices.
 */
export function generatedColumns(rows: number, lane: number, lanes: number): RowColumns {
  const next = random(20260101 + lane)
  const devices = Math.round(rows / 10)
  const exponential = (mean: number): number => Math.floor(-Math.log(1 - next()) * mean)
  const extra = zipf(devices, 0.9, 50 + lane, lanes)
  const sessions = Array.from({ length: Math.round(rows * 0.2155) }, (_, i) => (i < devices ? i : pick(extra, next())))
  const shuffled = Uint32Array.from({ length: devices }, (_, i) => i)
  for (let i = devices - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
  }
  const other = zipf(35, 0.8)
  const depths = Float64Array.from([0.45, 0.76, 0.88, 0.935, 0.96, 1])
  const device: number[] = []
  const time: number[] = []
  const name: number[] = []
  for (const rank of sessions) {
    const depth = pick(depths, next())
    const length = Math.max(1 + Math.floor(Math.log(1 - next()) / Math.log(1 - 0.22)), depth)
    let at = Math.floor(next() * 30) * DAY_MS + Math.floor(((next() + next() + next()) / 3) * DAY_MS)
    const longGap = depth >= 2 && next() < 0.15
    const stepAt = Array.from({ length: depth }, (_, k) => Math.floor((k * length) / depth))
    for (let j = 0; j < length; j++) {
      if (j > 0) at += exponential(45_000) + 1
      if (longGap && j === length >> 1) at += exponential(18 * 3_600_000)
      if (at >= GENERATED_DAYS * DAY_MS) break
      const draw = next()
      const noise =
        draw < 0.1
          ? 0
          : draw < 0.12
            ? 1
            : draw < 0.128
              ? 2
              : draw < 0.131
                ? 3
                : draw < 0.133
                  ? 4
                  : 5 + pick(other, next())
      const step = stepAt.indexOf(j)
      device.push(shuffled[rank]!)
      time.push(GENERATED_FROM + at)
      name.push(step < 0 ? noise : step)
    }
  }
  return assemble(device, time, name, devices, lane, lanes, next)
}

/** Returns the number columns of events in an order in which those of a device are adjacent. */
function numbersOf(
  order: Uint32Array,
  device: readonly number[],
  time: readonly number[],
): Record<NumberColumn, Float64Array> {
  const columns = ['timestamp', 'seq', 'position', 'index', 'received_at'] as const
  const numbers = Object.fromEntries(columns.map((column) => [column, new Float64Array(order.length)])) as Record<
    NumberColumn,
    Float64Array
  >
  order.forEach((from, i) => {
    const isSameDevice = i > 0 && device[order[i - 1]!] === device[from]
    numbers.timestamp[i] = isSameDevice ? Math.max(time[from]!, numbers.timestamp[i - 1]! + 1) : time[from]!
    numbers.seq[i] = isSameDevice ? numbers.seq[i - 1]! + 1 : 0
    numbers.position[i] = from
    numbers.received_at[i] = numbers.timestamp[i] + 900
  })
  return numbers
}

function assemble(
  device: readonly number[],
  time: readonly number[],
  name: readonly number[],
  devices: number,
  lane: number,
  lanes: number,
  next: () => number,
): RowColumns {
  const order = Uint32Array.from(device, (_, i) => i).sort((a, b) => device[a]! - device[b]! || time[a]! - time[b]!)
  const counts = new Uint32Array(devices)
  for (const d of device) counts[d]!++
  const present = Array.from(counts.keys()).filter((d) => counts[d]! > 0)
  const byte = (): number => Math.floor(next() * 256)
  const country = zipf(50, 1)
  const plan = Float64Array.from([0.7, 0.9, 0.98, 1])
  const url = zipf(5_000, 1)
  const countryOf = Uint32Array.from({ length: devices }, () => pick(country, next()))
  const planOf = Uint32Array.from({ length: devices }, () => pick(plan, next()))
  present.forEach((d, run) => {
    if (run % SHARED_EVERY > 0) return
    // the devices of a person are in one country, with one plan
    countryOf[d] = pick(country, (run * GOLDEN) % 1)
    planOf[d] = pick(plan, (run * GOLDEN * GOLDEN) % 1)
  })
  const column = (values: readonly Value[], codes: Uint32Array): { codes: Uint32Array; values: readonly Value[] } => ({
    codes,
    values,
  })
  return {
    rows: order.length,
    runs: {
      // the hash falls into the lane: low half mod lanes
      high: Uint32Array.from(present, (d) => Math.floor(((d + 0.5) / devices) * 4_294_967_296)),
      low: Uint32Array.from(present, () => (Math.floor((next() * 4_294_967_296) / lanes) * lanes + lane) >>> 0),
      rows: Uint32Array.from(present, (d) => counts[d]!),
      deviceIds: {
        length: present.length,
        bytes: Uint8Array.from({ length: present.length * 16 }, byte),
        texts: new Map(),
      },
    },
    numbers: numbersOf(order, device, time),
    eventIds: { length: order.length, bytes: Uint8Array.from({ length: order.length * 16 }, byte), texts: new Map() },
    values: new Map([
      ['type', column(['custom'], new Uint32Array(order.length))],
      [
        'name',
        column(
          names,
          order.map((from) => name[from]!),
        ),
      ],
      [
        'data.url',
        column(
          urls,
          order.map(() => pick(url, next())),
        ),
      ],
      [
        'country',
        column(
          countries,
          order.map((from) => countryOf[device[from]!]!),
        ),
      ],
      [
        'user',
        usersOf(
          lane,
          present.map((d) => counts[d]!),
        ),
      ],
      [
        'data.plan',
        column(
          plans,
          order.map((from) => planOf[device[from]!]!),
        ),
      ],
    ]),
  }
}
