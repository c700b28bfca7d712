import { useMemo } from 'react'
import type { Element, ListedFunnel } from '@hopper/contracts'
import { appPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import type { EventNames } from '../format/event-text.ts'
import { decodedAddress } from '../format/pages.ts'
import { useScope } from './scope.tsx'

/** Returns the names of the app's elements and stages, and pages without their scheme. */
export function useEventNames(): EventNames {
  const { app } = useScope()
  const elements = useReport<{ elements: Element[] }>(appPath(app.id, 'elements')).data?.elements
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels')).data?.funnels
  return useMemo(() => {
    const names = new Map(elements?.map(({ xpath, name }) => [xpath, name]))
    return {
      page: readablePage,
      element: (xpath) => names.get(xpath) ?? xpath,
      stage: (id, number) => {
        const funnel = funnels?.find((one) => one.id === id)
        // events have the number of a stage, which is its id until its condition changes
        const known = funnel?.stages.find((stage) => (stage.number ?? stage.id) === number)
        const name = known?.name ?? `stage ${number}`
        return `${name} (${funnel?.name ?? id})`
      },
    }
  }, [elements, funnels])
}

/** Returns an address without its scheme, with letters instead of their codes. */
function readablePage(url: string): string {
  return decodedAddress(url.replace(/^https?:\/\//, ''))
}
