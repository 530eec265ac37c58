import { withRequestContext } from 'prisma-extension-audit/next'
import { prisma } from '../prisma.js'

export async function POST(request) {
  const options = { actor: () => ({ id: 'ada', type: 'user' }) }
  const note = await withRequestContext(request.headers, options, () =>
    prisma.note.create({ data: { text: 'bundled' } }),
  )
  return Response.json(note, { status: 201 })
}
