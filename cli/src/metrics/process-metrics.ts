import { collectDefaultMetrics, Registry } from 'prom-client'

/** The figures of a process of the cluster, those of Node.js among them. */
export function processMetrics(): Registry {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return metrics
}
