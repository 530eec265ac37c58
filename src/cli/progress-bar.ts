import type { ExportProgress } from './export.ts'

const width = 30

/** A bar that redraws itself on a terminal; on anything else it stays silent. */
export function progressBar(terminal: NodeJS.WriteStream): {
  update: (progress: Pick<ExportProgress, 'written' | 'fraction'>) => void
  end: () => void
} {
  const begin = performance.now()
  return {
    update({ written, fraction }) {
      if (!terminal.isTTY) return
      const full = Math.round(Math.min(fraction, 1) * width)
      const perSecond = Math.round((written / (performance.now() - begin)) * 1000)
      const bar = `${'█'.repeat(full)}${'░'.repeat(width - full)}`
      terminal.write(
        `\r${bar} ${Math.floor(fraction * 100)} %  ${written.toLocaleString('en')} entries, ${perSecond.toLocaleString('en')}/s `,
      )
    },
    end() {
      if (terminal.isTTY) terminal.write('\n')
    },
  }
}
