import { collectDefaultMetrics, Registry } from 'prom-client'

/** Creates the metrics of a cluster process, including those of Node.js. */
export function processMetrics(): Registry {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return metrics
}
