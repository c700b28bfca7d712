const LINES_MAX = 10
const LINE_CHARS_MAX = 300

/**
 * Returns the causes of an error, one line each, nearest first: somebody who starts a process against engines that
 * refuse it has no log to look in. An error that stands for several (the Cassandra driver collects those of all nodes
 * it tried in `innerErrors`) is reported as one line per name.
 */
export function causesOf({ cause }: Error): string[] {
  return cause instanceof Error ? [...new Set([...textsOf(cause), ...causesOf(cause)])].slice(0, LINES_MAX) : []
}

/** The text of an error that stands for several only repeats the first of them. */
function textsOf(error: Error & { innerErrors?: Readonly<Record<string, unknown>> }): string[] {
  const inner = Object.entries(error.innerErrors ?? {})
  return inner.length > 0 ? inner.map(([name, each]) => `${name}: ${textOf(each)}`) : [textOf(error)]
}

function textOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
  return line.slice(0, LINE_CHARS_MAX)
}
