import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'

// The demo is what newcomers run first, so it runs here as they run it: in a process of its own.
describe('npm run demo', () => {
  let plain: Run
  let lines: string[]

  beforeAll(async () => {
    plain = await runDemo({ NO_COLOR: '1' })
    lines = plain.stdout.split('\n')
  }, 60_000)

  /** The lines below a heading, up to the next one. */
  function section(title: string): string[] {
    const start = lines.findIndex((line) => line.startsWith(title))
    const length = lines.slice(start + 1).findIndex((line) => /^\S/.test(line))
    return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).filter((line) => line !== '')
  }

  /** The rows of the table, cells split. */
  function rows(): string[][] {
    const [, ...body] = section('The log').map((line) => line.trim().split(/ {2,}/))
    return body
  }

  it('succeeds, and says nothing on standard error', () => {
    expect(plain).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('fits a terminal of 120 columns, without colours where none are wanted', () => {
    expect(stripVTControlCharacters(plain.stdout)).toBe(plain.stdout)
    expect(lines.filter((line) => line.length > 120)).toEqual([])
  })

  it('shows what two people changed, and how', () => {
    expect(rows()).toContainEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d$/),
      'amara',
      'country.update',
      'CV',
      'name: Cape Verde → Cabo Verde',
      'update',
    ])
    expect(rows()).toContainEqual([
      expect.any(String),
      'jonas',
      'country.update',
      'CV',
      'demonym: Cape Verdian → Cabo Verdean',
      '$executeRaw',
    ])
  })

  it('shows what somebody with psql changed', () => {
    expect(section('Two people edit the atlas').at(-1)).toMatch(/psql {3}Nauru .* 1 entry$/)
    expect(rows()).toContainEqual([
      expect.any(String),
      'postgres',
      'country.update',
      'NR',
      'capitals: Yaren → []',
      'psql',
    ])
  })

  it('shows what the database removed by itself, with what set it off', () => {
    const cascades = rows().filter((cells) => cells.at(-1) === 'language.delete')
    expect(cascades.map(([, actor, action, record]) => [actor, action, record])).toEqual([
      ['jonas', 'nativeName.delete', '["GG","nfr"]'],
      ['jonas', 'country.disconnect', 'GG'],
      ['jonas', 'language.disconnect', 'nfr'],
    ])
  })

  it('shows that edits which fail change nothing, and that they were tried', () => {
    const failures = section('Edits that fail')
    expect(failures.filter((line) => line.includes('✗'))).toHaveLength(4)
    for (const line of failures.filter((line) => line.includes('✗'))) expect(line).toMatch(/ 0 entries$/)
    expect(failures.join('\n')).toMatch(/rolled back, and its [1-9]\d* entries with it/)
    expect(failures.join('\n')).toContain(
      'UPDATE on public.audit_logs is refused: the audit log is append-only',
    )
    expect(failures.join('\n')).toContain('TRUNCATE on public.audit_logs is refused')
    expect(section('The log').join('\n')).not.toMatch(/atl|Atlantis/)
    const tried = rows().slice(-3)
    expect(tried.map(([, ...cells]) => cells)).toEqual([
      ['amara', 'country.create', 'AT', 'P2002: Unique constraint failed on the const…', 'create'],
      ['jonas', 'raw.execute', 'ZA001: UPDATE on public.audit_logs is refuse…', '$executeRaw'],
      ['jonas', 'raw.execute', 'ZA001: TRUNCATE on public.audit_logs is refu…', '$executeRaw'],
    ])
  })

  it("tells a country's life with each field before and after, and who it was", () => {
    const life = section('The life of country CV').join('\n')
    expect(life).toMatch(/country\.create by importer[\s\S]*\+ name +Cape Verde\n/)
    expect(life).toMatch(
      /country\.update by amara\n.*amara@atlas\.example.*203\.0\.113\.24.*\n.*“.*”\n +- name +Cape Verde\n +\+ name +Cabo Verde\n/,
    )
    expect(life).toMatch(/country\.connect by jonas\n.*2001:db8::17.*\n.*\n +\+ languages +kea$/)
  })

  it('lists as many entries as the table holds', () => {
    const [, total] = /^([\d,]+) entries in /m.exec(plain.stdout) ?? []
    const counts = rows().map((cells) => /^([\d,]+) ×$/.exec(cells.at(-1) ?? '')?.[1] ?? '1')
    expect(counts.map(toNumber).reduce((sum, count) => sum + count)).toBe(toNumber(total ?? ''))
  })
})

interface Run {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

function runDemo(settings: NodeJS.ProcessEnv): Promise<Run> {
  const { FORCE_COLOR: _, NODE_OPTIONS: __, ...environment } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts'], {
    env: { ...environment, ...settings },
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, ...output }))
  })
}

function toNumber(text: string): number {
  return Number(text.replaceAll(',', ''))
}
