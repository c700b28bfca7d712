import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client'

/**
 * Returns the metrics of the whole process in the Prometheus format: those of this thread, and those of other threads,
 * fetched at each scrape.
 */
export async function metricsText(own: Registry, others: () => Promise<readonly MetricObject[]>): Promise<string> {
  const all = await Promise.all([own.getMetricsAsJSON(), others()])
  return AggregatorRegistry.aggregate(all).metrics()
}
