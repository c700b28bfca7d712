/** Style sheet of the overlay; in forced-colors mode the browser replaces its colors. */
export const styles = `
:host { all: initial; position: fixed; inset: 0; width: 100vw; height: 100vh; margin: 0; padding: 0; border: 0;
  background: none; z-index: 2147483647; pointer-events: none; overflow: visible; display: block; }
:host(:focus) { outline: none; }
[hidden] { display: none !important; }
.shield { position: fixed; inset: 0; cursor: crosshair; pointer-events: auto; }
.frame { position: fixed; left: 0; top: 0; box-sizing: border-box; border: 2px solid #2456d6; border-radius: 3px;
  background: rgb(36 86 214 / 15%); outline: 1px solid #fff; pointer-events: none; }
.panel { position: fixed; right: 12px; bottom: 12px; width: min(26rem, calc(100vw - 24px)); max-height: 60vh;
  overflow: auto; box-sizing: border-box; padding: 12px; border: 1px solid #767c8a; border-radius: 8px; color: #14171f;
  background: #fff; font: 14px/1.4 system-ui, sans-serif; box-shadow: 0 4px 24px rgb(0 0 0 / 25%);
  pointer-events: auto; }
.panel.left { right: auto; left: 12px; }
h2 { margin: 0 0 4px; font-size: 15px; }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
ul { margin: 0 0 8px; padding: 0; list-style: none; display: grid; gap: 4px; }
button { font: inherit; color: inherit; background: #f2f4f8; border: 1px solid #767c8a; border-radius: 6px;
  padding: 6px 10px; min-height: 32px; cursor: pointer; }
button:focus-visible { outline: 2px solid #2456d6; outline-offset: 1px; }
li button { width: 100%; text-align: left; display: grid; gap: 2px; }
code { font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
small { color: #4a5060; }
.row { display: flex; gap: 8px; flex-wrap: wrap; }
`
