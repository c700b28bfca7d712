import type { ReactNode } from 'react'

/** The characters at the end that stay visible when a text is cut in the middle. */
const END_CHARS = 14

/** A path or XPath on one line, cut in the middle where it is too long; the whole is in its tooltip. */
export function MiddleCut({ text, title = text }: { text: string; title?: string }): ReactNode {
  const letters = [...text]
  const end = letters.slice(-END_CHARS).join('')
  return (
    <bdi className="cut-middle" title={title}>
      <span className="unseen">{text}</span>
      <span className="cut-start" aria-hidden="true">
        {letters.slice(0, -END_CHARS).join('')}
      </span>
      <span className="cut-end" aria-hidden="true">
        {end}
      </span>
    </bdi>
  )
}
