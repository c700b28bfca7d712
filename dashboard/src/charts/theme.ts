import { useSyncExternalStore } from 'react'
import { subscribeTheme } from '../state/theme.ts'

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
      const unsubscribe = subscribeTheme(listener)
      return () => {
        dark.removeEventListener('change', listener)
        unsubscribe()
      }
    },
    () => {
      const chosen = document.documentElement.dataset['theme']
      return chosen === undefined ? dark.matches : chosen === 'dark'
    },
  )
  return isDark ? (darkTheme ??= readTheme()) : (lightTheme ??= readTheme())
}

let lightTheme: Theme | undefined
let darkTheme: Theme | undefined

/** Reads the tokens as colours: as custom properties they are expressions. */
function readTheme(): Theme {
  const probe = document.createElement('span')
  document.body.append(probe)
  const read = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const theme = {
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
  probe.remove()
  return theme
}
