import type { Proposal } from './proposals.ts'

interface Actions {
  choose(proposal: Proposal, all: readonly Proposal[]): void
  back(): void
  pause(): void
}

const stabilities = {
  high: 'survives most changes',
  medium: 'survives some changes',
  low: 'breaks easily',
} as const

/**
 * The part of the overlay with words and buttons. All that comes from the page is set as text, never as markup.
 */
export class Panel {
  readonly element = document.createElement('section')
  readonly #actions: Actions
  readonly #presses = new WeakMap<EventTarget, () => void>()
  readonly #title = document.createElement('h2')
  readonly #said = document.createElement('p')
  readonly #named = document.createElement('p')
  readonly #list = document.createElement('ul')
  readonly #row = document.createElement('div')

  constructor(actions: Actions) {
    this.#actions = actions
    this.element.className = 'panel'
    this.element.setAttribute('aria-label', 'Hopper')
    this.#said.setAttribute('role', 'status')
    this.#row.className = 'row'
    this.element.append(this.#title, this.#said, this.#named, this.#list, this.#row)
  }

  /** true while one of its buttons has the focus */
  get hasFocus(): boolean {
    const focused = (this.element.getRootNode() as ShadowRoot).activeElement
    return focused !== null && this.element.contains(focused)
  }

  /** Presses the button on the path of an event, of which the page shall not know. */
  press(path: readonly EventTarget[]): void {
    for (const target of path) this.#presses.get(target)?.()
  }

  /** Names the element under the pointer. */
  name(tag: string, text: string): void {
    const code = document.createElement('code')
    code.textContent = `<${tag}>`
    this.#named.replaceChildren(code, text === '' ? '' : ` ${text}`)
  }

  showHint(): void {
    this.#show('Pick an element', 'Click it. Or arrow keys: parent, child, siblings; Enter picks. Nothing is recorded.')
    this.#row.append(
      this.#button('Pause', () => this.#actions.pause()),
      this.#button('Other side', () => this.element.classList.toggle('left')),
    )
  }

  showPaused(): void {
    this.#show('Paused', 'Use the page, for example to open a menu. Nothing is recorded.')
    this.#row.append(this.#button('Pick', () => this.#actions.pause()))
  }

  showProposals(proposals: readonly Proposal[]): void {
    this.#show('How shall Hopper find it?', 'The most stable way comes first.')
    for (const proposal of proposals) {
      const item = document.createElement('li')
      item.append(this.#proposal(proposal, proposals))
      this.#list.append(item)
    }
    this.#row.append(this.#button('Pick another element', () => this.#actions.back()))
    this.#list.querySelector('button')?.focus()
  }

  showSending(): void {
    this.#said.textContent = 'Sending …'
  }

  showFailure(message: string): void {
    this.#said.textContent = message
  }

  showDone(): void {
    this.#show('Sent to Hopper', 'You can close this tab and go back to the dashboard.')
  }

  #show(title: string, said: string): void {
    this.#title.textContent = title
    this.#said.textContent = said
    this.#list.replaceChildren()
    this.#row.replaceChildren()
  }

  #proposal(proposal: Proposal, all: readonly Proposal[]): HTMLButtonElement {
    const { kind, css, xpath, stability, matches } = proposal
    const button = this.#button('', () => this.#actions.choose(proposal, all))
    const [name, code, facts] = ['strong', 'code', 'small'].map((tag) => document.createElement(tag))
    name!.textContent = kind
    code!.textContent = css ?? xpath
    facts!.textContent = `${stabilities[stability]} · ${matches === 1 ? '1 match' : `${matches} matches`} on this page`
    button.append(name!, code!, facts!)
    return button
  }

  #button(text: string, press: () => void): HTMLButtonElement {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = text
    this.#presses.set(button, press)
    return button
  }
}
