import { useEffect, useRef, useState } from 'react'

/** Returns a `ref` for an element, and the element's width as it changes. */
export function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(640)
  const observer = useRef<ResizeObserver | null>(null)
  useEffect(() => () => observer.current?.disconnect(), [])
  const [attach] = useState(() => (element: HTMLElement | null) => {
    observer.current?.disconnect()
    if (!element) return
    observer.current = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)))
    observer.current.observe(element)
  })
  return [attach, width]
}
