import { Counter, type Registry } from 'prom-client'

/** Counts the records of other systems by their outcome. */
export function externalMetrics(register: Registry): (outcome: 'accepted' | 'rejected', records: number) => void {
  const counter = new Counter({
    name: 'hopper_external_records_total',
    help: 'records of files or of a topic that other systems write, by outcome; rejected ones are dead letters',
    labelNames: ['outcome'],
    registers: [register],
  })
  return (outcome, records) => counter.inc({ outcome }, records)
}
