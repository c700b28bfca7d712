import { Inject, Injectable } from '@nestjs/common'
import { HopperError, limits, type App, type Element } from '@hopper/contracts'
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

  async create(app: App, element: Element): Promise<Element> {
    checkXPath(element.xpath)
    checkFingerprints(element.fingerprints)
    const existing = await this.list(app)
    if (existing.some(({ xpath }) => xpath === element.xpath)) throw new HopperError('HOP_CONFLICT')
    if (existing.length >= limits.elementsPerAppMax)
      throw new HopperError('HOP_LIMIT', undefined, { details: { elements_max: limits.elementsPerAppMax } })
    await this.registry.elements.put(app.id, element.xpath, element)
    return element
  }

  /** Changes an element. A new XPath makes a new element: earlier counts stay with the old one. */
  async change(app: App, xpath: string, patch: ElementPatch): Promise<Element> {
    const old = await this.registry.elements.get(app.id, xpath)
    if (!old) throw new HopperError('HOP_ELEMENT_UNKNOWN')
    if (patch.xpath !== undefined) checkXPath(patch.xpath)
    checkFingerprints(patch.fingerprints)
    const element = { ...old, ...patch }
    if (element.xpath !== xpath && (await this.registry.elements.get(app.id, element.xpath)))
      throw new HopperError('HOP_CONFLICT')
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

/** @throws HopperError HOP_PARAM_INVALID for selectors that cannot be parts of the tracker's */
function checkFingerprints(fingerprints: readonly string[] = []): void {
  const faults = fingerprintFaults(fingerprints)
  if (faults.length > 0) throw invalidFields(faults)
}
