/**
 * Runs an action, and returns undefined when it throws: errors of the page, its storage or the app's configuration must
 * not reach the page.
 */
export const attempt = <T>(action: () => T): T | void => {
  try {
    return action()
  } catch {}
}
