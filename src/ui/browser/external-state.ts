import { useEffect, useState } from 'preact/hooks'

/** A value that lives outside of the components, read again whenever `source` says "change". */
export function useSyncExternalState<Value>(source: EventTarget, read: () => Value): Value {
  const [value, setValue] = useState(read)
  useEffect(() => {
    const update = () => setValue(() => read())
    source.addEventListener('change', update)
    update()
    return () => source.removeEventListener('change', update)
  }, [source, read])
  return value
}
