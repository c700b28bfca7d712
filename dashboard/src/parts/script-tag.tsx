import type { ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import { CopyText } from './copy-text.tsx'

/**
 * The script tag for the pages of a site. Keys are stored as hashes, so the tag can contain a key only right after it
 * was created.
 */
export function ScriptTag({
  writeKey = 'YOUR_WRITE_KEY',
  label = 'Script tag',
}: {
  writeKey?: string
  label?: string
}): ReactNode {
  const { ingest_url: origin = location.origin } = useSession().me
  return <CopyText text={`<script async src="${origin}/hopper.js" data-key="${writeKey}"></script>`} label={label} />
}
