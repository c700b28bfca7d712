import { selectorProblem } from './selector.ts'

/** Finds the fingerprints of an element that cannot be parts of the selector that the tracker gets. */
export function fingerprintFaults(fingerprints: readonly string[]): { field: string; message: string }[] {
  return fingerprints.flatMap((text, place) => {
    // browsers accept no `:has` inside of another one
    const message = /:has\(/i.test(text) ? 'must not use :has()' : selectorProblem(text)
    return message === undefined ? [] : [{ field: `fingerprints.${place}`, message }]
  })
}
