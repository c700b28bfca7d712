import type { Locator } from 'playwright-core'

/** Frames in which a list of people has to come to its end. */
const FRAMES_MAX = 3_000

/** Returns the ids of all people of a panel, in their order: it draws only those in view, so it is scrolled. */
export async function idsOfPeople(panel: Locator): Promise<string[]> {
  const list = panel.locator('.people')
  await list.locator('.person').first().waitFor()
  return list.evaluate(async (element, framesMax) => {
    const ids = new Map<number, string>()
    for (let frames = 0; frames < framesMax; frames++) {
      for (const item of element.querySelectorAll('li')) {
        const id = item.querySelector('.person [title]')?.getAttribute('title')
        if (typeof id === 'string') ids.set(Number(item.dataset['index']), id)
      }
      const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 1
      if (isAtEnd && !element.textContent.includes('Loading more')) break
      element.scrollTop += element.clientHeight / 2
      await new Promise(requestAnimationFrame)
    }
    return [...ids].sort(([a], [b]) => a - b).map(([, id]) => id)
  }, FRAMES_MAX)
}
