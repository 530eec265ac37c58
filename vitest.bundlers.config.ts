import { defineConfig } from 'vitest/config'

/** Applications that are bundled: each is built, and run where nothing but its bundle is. */
export default defineConfig({
  test: {
    include: ['test/bundlers/*.test.ts'],
    globalSetup: 'test/bundlers/set-up.ts',
    testTimeout: 300_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})
