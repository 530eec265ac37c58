/** What the text of a Prisma schema says but the run-time data model leaves out. */
interface SchemaFacts {
  /** Enum → a value's name in the client → its label in the database, for values with `@map`. */
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Model → its fields with `@updatedAt`. */
  readonly updatedAt: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Reads a Prisma schema, `client._engineConfig.inlineSchema`. It is valid, or there would be no client. Without a
 * schema, enum values have their names in the database.
 */
export function readSchema(text: unknown): SchemaFacts {
  const labels = new Map<string, Map<string, string>>()
  const updatedAt = new Map<string, Set<string>>()
  let block: { kind: string; name: string } | undefined
  for (const line of typeof text === 'string' ? text.split(/\r?\n/) : []) {
    const code = withoutComment(line)
    const [, kind, name] = /^\s*(\w+)\s+(\w+)\s*\{/.exec(code) ?? []
    if (kind && name) block = { kind, name }
    else if (/^\s*\}/.test(code)) block = undefined
    const [, member] = /^\s*(\w+)/.exec(code) ?? []
    if (!block || !member || kind) continue
    if (block.kind === 'enum') {
      const [, label] = /@map\(\s*(?:name\s*:\s*)?("(?:[^"\\]|\\.)*")/.exec(code) ?? []
      const known = labels.get(block.name) ?? new Map<string, string>()
      if (label) labels.set(block.name, known.set(member, JSON.parse(label)))
    } else if (/@updatedAt\b/.test(withoutStrings(code))) {
      updatedAt.set(block.name, (updatedAt.get(block.name) ?? new Set()).add(member))
    }
  }
  return { labels, updatedAt }
}

function withoutComment(line: string): string {
  return /^(?:[^"/]|"(?:[^"\\]|\\.)*"|\/(?!\/))*/.exec(line)?.[0] ?? ''
}

function withoutStrings(code: string): string {
  return code.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
}
