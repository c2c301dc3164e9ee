// Medians, percentiles and ratios. Plain functions of numbers.

/** The value below which this share of the values lies, by nearest rank; `undefined` of no values. */
export function percentile(values, share) {
  if (!values.length) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

/** The middle value, or the mean of the two middle ones; `undefined` of no values. */
export function median(values) {
  if (!values.length) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** `value` as a multiple of `base`; `undefined` where one of them is missing or nothing can be divided by it. */
export function ratio(value, base) {
  return value === undefined || !(base > 0) ? undefined : value / base
}
