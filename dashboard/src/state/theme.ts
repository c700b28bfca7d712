import { useSyncExternalStore } from 'react'

export const themes = ['system', 'light', 'dark'] as const
export type ThemeChoice = (typeof themes)[number]

const STORED = 'hopper.theme'
const listeners = new Set<() => void>()

/** Applies the appearance that was chosen in this browser. */
export function applyTheme(): void {
  const theme = storedTheme()
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

/** Stores the chosen appearance in this browser and applies it. */
export function setTheme(theme: ThemeChoice): void {
  storage()?.setItem(STORED, theme)
  applyTheme()
  for (const listener of listeners) listener()
}

/** Returns the chosen appearance. */
export function useTheme(): ThemeChoice {
  return useSyncExternalStore(subscribeTheme, storedTheme)
}

/** Calls the listener when another appearance is chosen. */
function subscribeTheme(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A frame on another site may have no storage. */
function storage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}

function storedTheme(): ThemeChoice {
  const stored = storage()?.getItem(STORED)
  return themes.find((theme) => theme === stored) ?? 'system'
}
