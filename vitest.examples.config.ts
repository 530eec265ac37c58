import { defineConfig } from 'vitest/config'

/** The examples, end to end: each starts as its README line says, and is used over HTTP. */
export default defineConfig({
  test: {
    include: ['examples/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})
