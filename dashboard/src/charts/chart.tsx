import { useEffect, useRef, type ReactNode } from 'react'
import type { ChartOption } from './chart-option.ts'
import type { EChartsType } from './echarts.ts'
import { useTheme, type Theme } from './theme.ts'

interface Props {
  /** text alternative of the chart */
  label: string
  /** must be a stable function: a new one redraws the chart */
  draw: (theme: Theme) => ChartOption
  height: number
}

/**
 * An ECharts chart; the library is loaded with the first chart. It follows the width of its container and the colour
 * scheme.
 */
export function Chart({ label, draw, height }: Props): ReactNode {
  const container = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  const current = useRef({ draw, theme })
  /** series that the user has switched off or on */
  const chosen = useRef<Record<string, boolean>>({})
  const chart = useRef<EChartsType | null>(null)
  useEffect(() => {
    current.current = { draw, theme }
    paint(chart.current, current.current, chosen.current)
  }, [draw, theme])
  useEffect(() => {
    const element = container.current!
    let isUnmounted = false
    const sizes = new ResizeObserver(() => chart.current?.resize())
    void import('./echarts.ts').then(({ init }) => {
      if (isUnmounted) return
      chart.current = init(element)
      chart.current.on('legendselectchanged', (event) => {
        chosen.current = (event as { selected: Record<string, boolean> }).selected
      })
      paint(chart.current, current.current, chosen.current)
      sizes.observe(element)
    })
    return () => {
      isUnmounted = true
      sizes.disconnect()
      chart.current?.dispose()
      chart.current = null
    }
  }, [])
  return <div ref={container} className="chart" role="img" aria-label={label} style={{ height }} />
}

function paint(
  chart: EChartsType | null,
  { draw, theme }: { draw: Props['draw']; theme: Theme },
  chosen: Readonly<Record<string, boolean>>,
): void {
  const option = draw(theme)
  const legend = option.legend === undefined || Array.isArray(option.legend) ? {} : option.legend
  // No animation: numbers arrive every two seconds, and a constantly moving chart cannot be read.
  chart?.setOption(
    { animation: false, ...option, legend: { ...legend, selected: { ...legend.selected, ...chosen } } },
    { notMerge: true },
  )
}
