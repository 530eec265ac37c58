import { useEffect, useState } from 'preact/hooks'

/** A value outside the components, read again whenever `source` emits "change". */
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
