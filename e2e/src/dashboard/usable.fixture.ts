import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Width of a window of 1,280 px at 400 %, and of the smallest phone. */
const NARROWEST_PX = 320
const looks = [
  ['light', 1_440, 844],
  ['dark', 1_440, 844],
  ['light', 390, 844],
  ['dark', NARROWEST_PX, 256],
] as const

/** Gives a page each look in turn: light, dark, on a phone, and at 400 % of 1,280 x 1,024 px. */
export async function forEachLook(page: Page, work: () => Promise<void>): Promise<void> {
  for (const [colorScheme, width, height] of looks) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height })
    await work()
  }
}

/**
 * Expects of a loaded page that axe finds nothing, that it does not scroll sideways, and that nothing is lost in forced
 * colors.
 */
export async function expectUsable(page: Page): Promise<void> {
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))])).toEqual([])
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  expect(content).toBeLessThanOrEqual(window)
  if (page.viewportSize()!.width <= NARROWEST_PX) expect(await page.evaluate(scrolledSideways)).toEqual([])
  await page.emulateMedia({ forcedColors: 'active' })
  expect(await page.evaluate(lostInForcedColors)).toEqual([])
  await page.emulateMedia({ forcedColors: 'none' })
}

/** Returns the parts of the page that scroll sideways, but for tables and diagrams, which need two dimensions. */
function scrolledSideways(): string[] {
  return [...document.querySelectorAll('body *')]
    .filter((part) => ['auto', 'scroll'].includes(getComputedStyle(part).overflowX))
    .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
    .filter((part) => !part.matches('.table-scroll, .journey-scroll'))
    .map(({ outerHTML }) => outerHTML.slice(0, 160))
}

/** Lists what forced colors hide: bars without a color, faint texts of charts, a selection that looks like the rest. */
function lostInForcedColors(): string[] {
  const probe = document.body.appendChild(document.createElement('i'))
  probe.style.cssText = 'color: CanvasText; background: Canvas'
  const { color: text, backgroundColor: ground } = getComputedStyle(probe)
  probe.remove()
  const look = (part: Element): string => {
    const { backgroundColor, borderTop, borderBottom, outline } = getComputedStyle(part)
    return [backgroundColor, borderTop, borderBottom, outline].join()
  }
  const isEmptyBar = (part: HTMLElement): boolean => {
    const { backgroundColor, backgroundImage, borderTopWidth } = getComputedStyle(part)
    const isPainted = ![ground, 'rgba(0, 0, 0, 0)'].includes(backgroundColor) || backgroundImage !== 'none'
    return part.offsetWidth > 0 && part.childNodes.length === 0 && !isPainted && borderTopWidth === '0px'
  }
  const isLikeTheRest = (chosen: Element): boolean =>
    [...chosen.parentElement!.children].some(
      (other) => other !== chosen && other.tagName === chosen.tagName && look(other) === look(chosen),
    )
  const chosen = '[aria-current="page"], [role="tab"][aria-selected="true"], [role="group"] > [aria-pressed="true"]'
  return [
    ...[...document.querySelectorAll<HTMLElement>('main span[style*="width"]')].filter(isEmptyBar),
    ...[...document.querySelectorAll('main svg text')].filter((part) => getComputedStyle(part).fill !== text),
    ...[...document.querySelectorAll(chosen)].filter(isLikeTheRest),
  ].map(({ outerHTML }) => outerHTML.slice(0, 160))
}
