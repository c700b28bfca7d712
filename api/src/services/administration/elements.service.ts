import { Inject, Injectable } from '@nestjs/common'
import { HopperError, limits, xpathsOf, type App, type Element } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { ElementPatch } from '../../answers/administration.ts'
import { invalidFields } from '../../http/checked.ts'
import { REGISTRY } from '../../tokens.ts'
import { fingerprintFaults } from '../../validation/fingerprints.ts'
import { xpathProblem } from '../../validation/xpath.ts'

/** The interesting elements of an app, each identified by its XPath. */
@Injectable()
export class ElementsService {
  private readonly registry: Registry

  constructor(@Inject(REGISTRY) registry: Registry) {
    this.registry = registry
  }

  list(app: App): Promise<readonly Element[]> {
    return this.registry.elements.list(app.id)
  }

  /** Returns the element that has an XPath or had it. */
  async named(app: App, xpath: string): Promise<Element | undefined> {
    return (await this.list(app)).find((element) => xpathsOf(element).includes(xpath))
  }

  async create(app: App, element: Element): Promise<Element> {
    checkElement(element)
    const existing = await this.list(app)
    checkIsAlone(element, existing)
    if (existing.length >= limits.elementsPerAppMax)
      throw new HopperError('HOP_LIMIT', undefined, { details: { elements_max: limits.elementsPerAppMax } })
    await this.registry.elements.put(app.id, element.xpath, element)
    return element
  }

  /** Changes an element. With a new XPath, earlier counts stay with the old one unless that is in `past_xpaths`. */
  async change(app: App, xpath: string, patch: ElementPatch): Promise<Element> {
    const existing = await this.list(app)
    const old = existing.find((each) => each.xpath === xpath)
    if (!old) throw new HopperError('HOP_ELEMENT_UNKNOWN')
    const element = { ...old, ...patch }
    checkElement(element)
    checkIsAlone(
      element,
      existing.filter((each) => each !== old),
    )
    await this.registry.elements.put(app.id, element.xpath, element)
    if (element.xpath !== xpath) await this.registry.elements.remove(app.id, xpath)
    return element
  }

  async remove(app: App, xpath: string): Promise<void> {
    if (!(await this.registry.elements.remove(app.id, xpath))) throw new HopperError('HOP_ELEMENT_UNKNOWN')
  }
}

/** @throws HopperError HOP_PARAM_INVALID for a text that does not select elements in any browser */
export function checkXPath(xpath: string): void {
  const message = xpathProblem(xpath)
  if (message !== undefined) throw invalidFields([{ field: 'xpath', message }])
}

/** @throws HopperError HOP_PARAM_INVALID for selectors that cannot be parts of the tracker's, or an XPath twice */
function checkElement(element: Element): void {
  checkXPath(element.xpath)
  const faults = fingerprintFaults(element.fingerprints ?? [])
  const xpaths = xpathsOf(element)
  if (new Set(xpaths).size < xpaths.length)
    faults.push({ field: 'past_xpaths', message: 'must not have an XPath twice, nor that of the element' })
  if (faults.length > 0) throw invalidFields(faults)
}

/** @throws HopperError HOP_CONFLICT if another element has or had one of the XPaths: counts would be in both */
function checkIsAlone(element: Element, others: readonly Element[]): void {
  const taken = new Set(others.flatMap(xpathsOf))
  if (xpathsOf(element).some((xpath) => taken.has(xpath))) throw new HopperError('HOP_CONFLICT')
}
