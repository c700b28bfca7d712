/** The data of the message that a person sees when Hopper is ready. */
export interface Welcome {
  readonly url: string
  /** logs the owner in, once */
  readonly loginUrl: string | undefined
  readonly demoUrl: string | undefined
  readonly dataDir: string
  /** keys that were created at this start; they are never shown again */
  readonly newKeys: readonly { readonly label: string; readonly key: string }[]
}

/** Formats the message for the terminal; plain text, so that it also reads well in a file. */
export function greet({ url, loginUrl, demoUrl, dataDir, newKeys }: Welcome): string {
  const lines = [
    '',
    `  Hopper is ready at ${url}`,
    '',
    `  Dashboard   ${loginUrl ?? url}`,
    ...(loginUrl ? ['              (this link logs its owner in, once; every start prints a new one)'] : []),
    ...(demoUrl ? [`  Demo shop   ${demoUrl}`] : []),
    `  Data        ${dataDir}`,
  ]
  lines.push(...keyLines(newKeys).map((line) => (line === '' ? '' : `  ${line}`)))
  return `${[...lines, '', '  Ctrl-C stops it; nothing is lost.', ''].join('\n')}\n`
}

/** Formats the keys that were just created, one per line. */
export function keyLines(newKeys: Welcome['newKeys']): string[] {
  return newKeys.length === 0
    ? []
    : ['', 'New keys, shown only now:', ...newKeys.map(({ label, key }) => `  ${label.padEnd(24)} ${key}`)]
}
