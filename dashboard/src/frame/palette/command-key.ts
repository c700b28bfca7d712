/** The name of the key that is pressed together with others, as the keyboard of the system has it. */
export const commandKey = /Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘' : 'Ctrl'
