/** What the correlation of the (log) duration with the click says, in words. */
export function correlationInWords(correlation: number | null): string {
  if (correlation === null)
    return 'There are not enough different durations of both actions to say whether the time spent goes with clicking.'
  const size = Math.abs(correlation)
  const value = correlation.toFixed(2).replace('-', '−')
  if (size < 0.1) return `The time over the element says next to nothing about a click (correlation ${value}).`
  const strength = size < 0.3 ? 'somewhat' : size < 0.5 ? 'clearly' : 'strongly'
  const direction = correlation > 0 ? 'more' : 'less'
  return `The longer people stay over the element, the ${direction} they click: the two go together ${strength} (correlation ${value}).`
}
