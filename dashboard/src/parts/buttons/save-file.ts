/** Saves a text or a picture as a file. */
export function saveFile(content: string | Blob, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // the browser has opened the file by the time the next task runs
  setTimeout(() => URL.revokeObjectURL(url))
}
