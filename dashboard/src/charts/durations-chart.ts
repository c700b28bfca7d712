import type { ElementDurations } from '@hopper/contracts'
import { formatCount, formatDuration, formatShort } from '../format/numbers.ts'
import { fontFamily, legend, tooltip, type ChartOption } from './chart-option.ts'
import type { Theme } from './theme.ts'

type Bucket = ElementDurations['buckets'][number]

/**
 * Returns a bar chart of durations. `buckets` has no gaps between the shortest and the longest, which the axis relies
 * on.
 */
export function durationsChart(buckets: readonly Bucket[], theme: Theme): ChartOption {
  const labels = buckets.map(bucketLabel)
  const axis = { color: theme.muted, fontFamily }
  return {
    color: [theme.third, theme.first],
    legend: legend(theme),
    tooltip: {
      ...tooltip(theme),
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      valueFormatter: (value) => formatCount(Number(value)),
    },
    grid: { left: 4, right: 8, top: 36, bottom: 4, containLabel: true },
    xAxis: {
      type: 'category',
      data: labels,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: theme.line } },
      axisLabel: {
        ...axis,
        hideOverlap: true,
        formatter: (_: string, index: number) => formatDuration(buckets[index]?.from_ms ?? 0),
      },
    },
    yAxis: {
      type: 'value',
      minInterval: 1,
      splitNumber: 4,
      axisLabel: { ...axis, formatter: formatShort },
      splitLine: { lineStyle: { color: theme.line } },
    },
    series: [
      { type: 'bar', name: 'Left', stack: 'all', barCategoryGap: '12%', data: buckets.map(({ leave }) => leave) },
      { type: 'bar', name: 'Clicked', stack: 'all', data: buckets.map(({ click }) => click) },
    ],
  }
}

export function bucketLabel({ from_ms, to_ms }: Bucket): string {
  return `${formatDuration(from_ms)} – ${formatDuration(to_ms)}`
}
