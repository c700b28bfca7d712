import type { AppView } from './scope.tsx'

const STORED = 'hopper.app'

/** Remembers the app that was looked at in this browser. */
export function rememberApp(id: string): void {
  localStorage.setItem(STORED, id)
}

/** Returns the app to begin with: the last one looked at, else the first that the API lists. */
export function firstApp(apps: readonly AppView[]): AppView | undefined {
  const last = localStorage.getItem(STORED)
  return apps.find(({ id }) => id === last) ?? apps[0]
}
