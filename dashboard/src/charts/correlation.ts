/** Describes the correlation of the (log) duration with clicking, in words. */
export function correlationInWords(correlation: number | null): string {
  if (correlation === null)
    return 'There are not enough different durations to say whether the hover time is related to clicking.'
  const size = Math.abs(correlation)
  const value = correlation.toFixed(2).replace('-', '−')
  if (size < 0.1) return `The hover time says almost nothing about clicking (correlation ${value}).`
  const strength = size < 0.3 ? 'weak' : size < 0.5 ? 'clear' : 'strong'
  const direction = correlation > 0 ? 'more' : 'less'
  const relation = `a ${strength} relation (correlation ${value})`
  return `The longer people hover over the element, the ${direction} they click: ${relation}.`
}
