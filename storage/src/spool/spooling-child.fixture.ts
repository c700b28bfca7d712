import { hash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { EmbeddedEventLog } from '../embedded/log/event-log.ts'
import { numbered } from './numbered.fixture.ts'
import { SpooledLog, spoolDefaults } from './spooled-log.ts'
import { behaviours, unsteady } from './unsteady-log.fixture.ts'

/**
 * Runs as a separate process: `dir devices first when`. Each device sends numbered envelopes one after the other, from
 * `first` on, and prints `device number` as its acknowledgement: `when` the envelope is `durable`, or as soon as append
 * is `called` (the control). Runs until it is killed. The main log fails and recovers all the time.
 */
const [dir, devices, first, when] = process.argv.slice(2) as [string, string, string, 'durable' | 'called']
const main = unsteady(new EmbeddedEventLog(dir, 4))
const settings = { ...spoolDefaults, dir: `${dir}/spool`, lanes: 4, patienceMs: 30, drainPatienceMs: 200 }
const spooled = await SpooledLog.open(settings, async () => main)
let changes = 0
// random, and the same in every run: derived from `first`
setInterval(() => {
  const number = hash('sha256', `${first} ${changes++}`, 'buffer').readUInt32LE()
  main.behaviour = behaviours[number % behaviours.length]!
}, 40)

await Promise.all(
  Array.from({ length: Number(devices) }, async (_, device) => {
    for (let n = Number(first); ; n++) {
      const durable = spooled.append([numbered(`d${device}`, n)])
      await (when === 'durable' ? durable : Promise.race([durable, pause(1)]))
      process.stdout.write(`d${device} ${n}\n`)
    }
  }),
)
