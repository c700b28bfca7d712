import type { ReactNode } from 'react'

/** The characters at the end that stay visible when a text is cut in the middle. */
const END_CHARS = 14
/** A shorter beginning would not be wider than the dots that stand for it. */
const START_CHARS_MIN = 5

/** A path or XPath on one line, cut in the middle where it is too long; the whole is in its tooltip. */
export function MiddleCut({ text, title = text }: { text: string; title?: string }): ReactNode {
  const letters = [...text]
  const cut = letters.length < END_CHARS + START_CHARS_MIN ? 0 : letters.length - END_CHARS
  return (
    <bdi className="cut-middle" title={title}>
      <span className="unseen">{text}</span>
      <span className="cut-start" aria-hidden="true">
        {letters.slice(0, cut).join('')}
      </span>
      <span className="cut-end" aria-hidden="true">
        {letters.slice(cut).join('')}
      </span>
    </bdi>
  )
}
