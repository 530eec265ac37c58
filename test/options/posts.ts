import type { PrismaClient } from '../generated/client/client.ts'
import { unique } from '../support/unique.ts'

/** A user with a post, which has a tag and a comment; by the unaudited client. */
export function createUser(plain: PrismaClient) {
  return plain.user.create({
    data: {
      email: unique('user@'),
      name: 'Ada',
      posts: {
        create: {
          title: 'post',
          comments: { create: { text: 'c' } },
          tags: { create: { name: unique('tag') } },
        },
      },
    },
    include: { posts: { include: { tags: true, comments: true } } },
  })
}

/** The same, with its parts at hand. */
export async function createPost(plain: PrismaClient) {
  const user = await createUser(plain)
  const [post] = user.posts
  const [tag, comment] = [post?.tags[0], post?.comments[0]]
  if (!post || !tag || !comment) throw new Error('the post is complete')
  return { user, post, tag, comment }
}
