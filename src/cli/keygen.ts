import { writeFile } from 'node:fs/promises'
import { AuditError } from '../errors.ts'
import { generateKeys } from '../seal/keys.ts'
import { UsageError } from './usage.ts'

/**
 * Makes a key pair for seals.
 *
 * @param output what the two files are called, without `.key` and `.pub`. A file that is there is left alone
 * @throws UsageError for a name that a key can't have
 */
export async function writeKeys(
  name: string,
  output: string,
): Promise<{ publicKey: string; files: string[] }> {
  const { privateKey, publicKey } = generated(name)
  const files = [`${output}.key`, `${output}.pub`] as const
  try {
    await writeFile(files[0], `${privateKey}\n`, { flag: 'wx', mode: 0o600 })
    await writeFile(files[1], `${publicKey}\n`, { flag: 'wx' })
  } catch (cause) {
    const { code, path } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'is there already' : `can't be written (${code})`
    throw new AuditError('AUDIT_CLI', `${path} ${why}. Give another name with --output.`, { cause })
  }
  return { publicKey, files: [...files] }
}

function generated(name: string): ReturnType<typeof generateKeys> {
  try {
    return generateKeys(name)
  } catch (cause) {
    throw new UsageError((cause as AuditError).message, { cause })
  }
}

export function describeKeys({
  publicKey,
  files: [privateFile, publicFile],
}: Awaited<ReturnType<typeof writeKeys>>): string {
  return `${privateFile}: the private key. Keep it where neither the database nor its administrators are
${publicFile}: ${publicKey}

Seal with it: defineAudit({ seal: { key: { file: ${JSON.stringify(privateFile)} } } })
Verify with it: npx prisma-extension-audit verify --key ${publicFile}
`
}
