/** Returns what a person is called: `u:ann` is ann, `d:…` a device that nobody has identified. */
export function shownId(id: string): string {
  return id.replace(/^[ud]:/, '')
}

/** Returns whom a row is about: a session belongs to its device. */
export function personOf(id: string): string {
  if (/^[ud]:/.test(id)) return id
  return `d:${id.split(/[/@]/, 1)[0]}`
}
