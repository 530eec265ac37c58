import { headers } from 'next/headers'
import { withRequestContext } from 'prisma-extension-audit/next'
import { prisma } from './prisma.js'

/** Writes a note with a server action. */
export default async function Page() {
  async function write() {
    'use server'
    const options = { actor: () => ({ id: 'grace', type: 'user' }) }
    await withRequestContext(await headers(), options, () =>
      prisma.note.create({ data: { text: 'by an action' } }),
    )
  }
  const notes = await prisma.note.count()
  return (
    <form action={write}>
      <p>{notes} notes</p>
      <button type="submit">Write</button>
    </form>
  )
}

export const dynamic = 'force-dynamic'
