import { useSyncExternalStore } from 'react'

/** The colours of a chart, from the style sheet in the preferred colour scheme. */
export interface Theme {
  readonly ink: string
  readonly muted: string
  readonly line: string
  readonly surface: string
  readonly first: string
  readonly second: string
  readonly third: string
  readonly warn: string
  /** colours for series without a meaning of their own, in order of use */
  readonly series: readonly string[]
}

const dark = matchMedia('(prefers-color-scheme: dark)')

/** Returns the theme, and a new one when the colour scheme changes. */
export function useTheme(): Theme {
  const isDark = useSyncExternalStore(
    (listener) => {
      dark.addEventListener('change', listener)
      return () => dark.removeEventListener('change', listener)
    },
    () => dark.matches,
  )
  return isDark ? (darkTheme ??= readTheme()) : (lightTheme ??= readTheme())
}

let lightTheme: Theme | undefined
let darkTheme: Theme | undefined

function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    ink: read('ink'),
    muted: read('muted'),
    line: read('line'),
    surface: read('surface'),
    first: read('chart-1'),
    second: read('chart-2'),
    third: read('chart-3'),
    warn: read('chart-4'),
    series: ['chart-1', 'chart-2', 'chart-3', 'chart-4', 'chart-5', 'chart-6'].map(read),
  }
}
