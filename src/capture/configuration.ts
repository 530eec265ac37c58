import type { DataModel } from '../models/data-model.ts'
import type { ResolvedOptions } from '../options.ts'

/** What is captured and how: one for each audited client. */
export interface CaptureConfiguration {
  readonly options: ResolvedOptions
  readonly dataModel: DataModel
}
