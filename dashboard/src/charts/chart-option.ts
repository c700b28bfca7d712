import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import type { GridComponentOption, LegendComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import type { Theme } from './theme.ts'

export type ChartOption = ComposeOption<
  BarSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>

export const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

/** Tooltip options. Tooltips are drawn as rich text, never as HTML, so that event data stays text. */
export function tooltip(theme: Theme): TooltipComponentOption {
  return {
    renderMode: 'richText',
    confine: true,
    backgroundColor: theme.surface,
    borderColor: theme.line,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: theme.ink, fontSize: 12, fontFamily },
  }
}

/** Legend options: a single line that scrolls if it is too long. */
export function legend(theme: Theme): LegendComponentOption {
  return {
    type: 'scroll',
    top: 0,
    left: 0,
    right: 0,
    align: 'left',
    itemWidth: 12,
    itemHeight: 8,
    itemGap: 18,
    icon: 'roundRect',
    textStyle: { color: theme.muted, fontFamily },
    inactiveColor: theme.third,
    pageIconSize: 10,
    pageTextStyle: { color: theme.muted },
    pageIconColor: theme.muted,
  }
}

/** Shortens a text to a number of characters. */
export function shorten(text: string, chars: number): string {
  const letters = [...text]
  return letters.length <= chars ? text : `${letters.slice(0, chars - 1).join('')}…`
}
