import { Counter, Gauge, type Registry } from 'prom-client'
import type { ConnectionLimit } from '../server/connection-limit.ts'

/** Metrics of the connections of a process, read at each scrape. */
export function connectionMetrics(register: Registry, limit: ConnectionLimit): void {
  const registers = [register]
  new Gauge({
    name: 'hopper_connections',
    help: 'open connections',
    registers,
    collect() {
      this.set(limit.open)
    },
  })
  new Counter({
    name: 'hopper_connections_refused_total',
    help: 'connections closed at once, by the bound that they exceeded: of the process, or of one address',
    labelNames: ['bound'],
    registers,
    collect() {
      this.reset()
      for (const [bound, count] of Object.entries(limit.refused)) this.inc({ bound }, count)
    },
  })
}
