const LINES_MAX = 10
const LINE_CHARS_MAX = 300

/**
 * What has led to an error, a line each, the nearest first: whoever starts a process against engines that refuse it has no log to look in. Of an error
 * that stands for several, as the driver of Cassandra makes one of all nodes it tried (`innerErrors`), each is told under its name.
 */
export function causesOf(error: Error): string[] {
  const { cause, innerErrors } = error as Error & { innerErrors?: Readonly<Record<string, unknown>> }
  const inner = Object.entries(innerErrors ?? {}).map(([name, each]) => `${name}: ${textOf(each)}`)
  const own = cause instanceof Error ? [...(hasInner(cause) ? [] : [textOf(cause)]), ...causesOf(cause)] : []
  return [...new Set([...inner, ...own])].slice(0, LINES_MAX)
}

/** Its own text only repeats the first of them. */
function hasInner(error: Error): boolean {
  return Object.keys((error as { innerErrors?: object }).innerErrors ?? {}).length > 0
}

function textOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
  return line.slice(0, LINE_CHARS_MAX)
}
