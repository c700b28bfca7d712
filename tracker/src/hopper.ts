import { start } from './start.ts'

// a module has no current script
const tag = (document.currentScript ?? document.querySelector('script[data-key]')) as HTMLScriptElement | null
if (tag?.dataset['key']) start(tag.dataset['key'], tag.dataset['api'] ?? tag.src, tag.integrity)
