const LINES_MAX = 10
const LINE_CHARS_MAX = 300

/**
 * What has led to an error, a line each, the nearest first: whoever starts a process against engines that refuse it has
 * no log to look in. Of an error that stands for several, as the driver of Cassandra makes one of all nodes it tried
 * (`innerErrors`), each is told under its name.
 */
export function causesOf({ cause }: Error): string[] {
  return cause instanceof Error ? [...new Set([...textsOf(cause), ...causesOf(cause)])].slice(0, LINES_MAX) : []
}

/** The text of an error that stands for several only repeats the first of theirs. */
function textsOf(error: Error & { innerErrors?: Readonly<Record<string, unknown>> }): string[] {
  const inner = Object.entries(error.innerErrors ?? {})
  return inner.length > 0 ? inner.map(([name, each]) => `${name}: ${textOf(each)}`) : [textOf(error)]
}

function textOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
  return line.slice(0, LINE_CHARS_MAX)
}
