import { Counter, Histogram, type Registry } from 'prom-client'
import type { Pipeline, StepFigures } from './pipeline.ts'

export interface Metrics {
  readonly events: Counter<'fate' | 'reason'>
  readonly requests: Counter<'status' | 'code'>
  readonly appendSeconds: Histogram
}

/** Metrics of ingest. Every label has a closed set of values. */
export function createMetrics(registry: Registry, pipeline: Pipeline): Metrics {
  const registers = [registry]
  const ofSteps = (name: string, help: string, read: (figures: StepFigures) => number): Counter<'step'> =>
    new Counter({
      name,
      help,
      registers,
      labelNames: ['step'],
      collect() {
        this.reset()
        for (const figures of pipeline.figures) this.inc({ step: figures.step }, read(figures))
      },
    })
  ofSteps('hopper_ingest_step_seconds_total', 'time spent in each step of the pipeline', ({ seconds }) => seconds)
  ofSteps('hopper_ingest_step_events_total', 'events that came to each step', ({ events }) => events)
  ofSteps('hopper_ingest_step_dropped_total', 'events that each step refused', ({ dropped }) => dropped)
  return {
    events: new Counter({
      name: 'hopper_ingest_events_total',
      help: 'events by the fate that ingest knows; repeated ids show later',
      registers,
      labelNames: ['fate', 'reason'],
    }),
    requests: new Counter({
      name: 'hopper_ingest_requests_total',
      help: 'requests by status, and by code of the error catalogue',
      registers,
      labelNames: ['status', 'code'],
    }),
    appendSeconds: new Histogram({
      name: 'hopper_ingest_append_seconds',
      help: 'time until the log had synced a request',
      registers,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
  }
}
