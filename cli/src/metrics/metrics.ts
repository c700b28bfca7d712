import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client'

/**
 * The figures of the whole process as Prometheus reads them: those of this thread, and those of others, asked for at
 * each scrape.
 */
export async function metricsText(own: Registry, others: () => Promise<readonly MetricObject[]>): Promise<string> {
  const all = await Promise.all([own.getMetricsAsJSON(), others()])
  return AggregatorRegistry.aggregate(all as MetricObject[][]).metrics()
}
