import { NOTHING, formatCount, formatShort } from '../format/numbers.ts'
import { formatStep, formatTick } from '../format/times.ts'
import { fontFamily, legend, tooltip, type ChartOption } from './chart-option.ts'
import type { Theme } from './theme.ts'

export interface TimeSeries {
  readonly name: string
  /** null where the value is not known yet */
  readonly values: readonly (number | null)[]
  /** hidden until the user selects it in the legend */
  readonly hidden?: boolean
}

export interface TimeChart {
  /** the instants at which the hours or dates start */
  readonly times: readonly number[]
  readonly series: readonly TimeSeries[]
  readonly step: 'hour' | 'day'
  readonly timezone: string
}

/** Draws lines over time. The current hour or date is drawn as far as it has been counted. */
export function timeChart({ times, series, step, timezone }: TimeChart, theme: Theme): ChartOption {
  return {
    color: [...theme.series],
    legend: { ...legend(theme), selected: Object.fromEntries(series.map(({ name, hidden }) => [name, !hidden])) },
    tooltip: {
      ...tooltip(theme),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: theme.muted } },
      valueFormatter: (value) => (typeof value === 'number' ? formatCount(value) : NOTHING),
    },
    grid: { left: 4, right: 22, top: 36, bottom: 4, containLabel: true },
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: times.map((at) => formatStep(timezone, at, step)),
      axisLabel: {
        color: theme.muted,
        fontFamily,
        hideOverlap: true,
        formatter: (_: string, index: number) => formatTick(timezone, times[index] ?? 0, step),
      },
      axisLine: { lineStyle: { color: theme.line } },
      axisTick: { show: false },
    },
    yAxis: {
      type: 'value',
      minInterval: 1,
      splitNumber: 4,
      axisLabel: { color: theme.muted, fontFamily, formatter: formatShort },
      splitLine: { lineStyle: { color: theme.line } },
    },
    series: series.map(({ name, values }, index) => ({
      type: 'line',
      name,
      data: [...values],
      symbol: 'circle',
      symbolSize: 6,
      showSymbol: times.length < 15,
      lineStyle: { width: 2 },
      ...(index === 0 ? { areaStyle: { color: theme.first, opacity: 0.12 } } : {}),
    })),
  }
}
