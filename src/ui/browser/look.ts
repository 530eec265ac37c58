import { useEffect, useState } from 'preact/hooks'

/** Milliseconds from one look to the next. */
const pause = 5_000

/** Counts up while the reader sees the page. */
export function useLook(): number {
  const [look, setLook] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setLook((before) => before + 1), pause)
    return () => clearInterval(timer)
  }, [])
  return look
}
