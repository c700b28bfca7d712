import { Gauge, type Registry } from 'prom-client'

/** Metrics of the ingest spool, read at each scrape. All are 0 while events go straight to Kafka. */
export function spoolMetrics(
  register: Registry,
  depth: () => { readonly messages: number; readonly bytes: number; readonly since?: number },
): void {
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        this.set(value())
      },
    })
  gauge('hopper_spool_messages', 'Messages that wait on the local disk for Kafka', () => depth().messages)
  gauge('hopper_spool_bytes', 'Bytes of the messages that wait on the local disk for Kafka', () => depth().bytes)
  gauge('hopper_spool_seconds', 'Seconds for which Kafka has been unavailable or behind', () => {
    const { since } = depth()
    return since === undefined ? 0 : (Date.now() - since) / 1000
  })
}
