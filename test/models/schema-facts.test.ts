import { expect, it } from 'vitest'
import { readSchema } from '../../src/models/schema-facts.ts'

it('reads the labels of mapped enum values and the fields with @updatedAt', () => {
  const { labels, updatedAt } = readSchema(`
enum Level { // @map("not this")
  LOW  @map("low")
  HIGH @map(name: "high \\"level\\" // here") // @map("nor this")
  /// TOP @map("nor that")
  TOP
  @@map("levels")
}
enum Plain {
  A
}
model User {
  id        Int      @id
  note      String   @default("} @updatedAt")
  changed   DateTime @updatedAt @map("changed_at")
  // gone   DateTime @updatedAt
  @@map("users")
}
  model Other {
    at DateTime @updatedAt
  }
`)
  expect([...labels]).toEqual([
    [
      'Level',
      new Map([
        ['LOW', 'low'],
        ['HIGH', 'high "level" // here'],
      ]),
    ],
  ])
  expect([...updatedAt]).toEqual([
    ['User', new Set(['changed'])],
    ['Other', new Set(['at'])],
  ])
})

it('reads nothing where there is no schema', () => {
  expect(readSchema(undefined)).toEqual({ labels: new Map(), updatedAt: new Map() })
})
