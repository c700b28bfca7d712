import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/**
 * Builds every asset as a file of its own: the page's content security policy allows no inline scripts or style sheets.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 700,
  },
})
