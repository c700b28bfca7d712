/**
 * What the page, its storage or the app's configuration makes throw must not reach the page: the answer is undefined
 * then.
 */
export const attempt = <T>(action: () => T): T | void => {
  try {
    return action()
  } catch {}
}
