import type { Counter, Gauge, Metrics } from "@karst/runtime";

/** What an engine counts. */
export interface EngineMetrics {
  /** `karst_uploads_total`: generations of the log cache published. */
  readonly uploads: Counter;
  /** `karst_uploaded_objects_total`, `karst_uploaded_bytes`: objects published, and their size. */
  readonly uploadedObjects: Counter;
  readonly uploadedBytes: Counter;
  /** `karst_unuploaded_bytes`: payloads, and what keeping them costs, that are in no object yet. */
  readonly unuploadedBytes: Gauge;
  /** `karst_backlog_refusals_total`: appends refused because too much waits for the object store. */
  readonly backlogRefusals: Counter;
  /** `karst_wal_trims_total`: times that the WAL was allowed to forget what had been published. */
  readonly walTrims: Counter;
  /** `karst_recoveries_total`: engines opened; `karst_recovered_frames_total`, `karst_skipped_frames_total`: WAL frames found then. */
  readonly recoveries: Counter;
  readonly recoveredFrames: Counter;
  readonly skippedFrames: Counter;
  /** `karst_streams_quarantined_total`: streams whose tail does not continue what the catalogue has. An operator is needed. */
  readonly streamsQuarantined: Counter;
  /** `karst_object_gets_total`: requests for blocks, indexes and states of objects. */
  readonly objectGets: Counter;
  /** `karst_object_checks_failed_total`: bytes from the object store that failed their check, each time. */
  readonly objectChecksFailed: Counter;
}

export function engineMetrics(metrics: Metrics): EngineMetrics {
  return {
    uploads: metrics.counter("karst_uploads_total"),
    uploadedObjects: metrics.counter("karst_uploaded_objects_total"),
    uploadedBytes: metrics.counter("karst_uploaded_bytes"),
    unuploadedBytes: metrics.gauge("karst_unuploaded_bytes"),
    backlogRefusals: metrics.counter("karst_backlog_refusals_total"),
    walTrims: metrics.counter("karst_wal_trims_total"),
    recoveries: metrics.counter("karst_recoveries_total"),
    recoveredFrames: metrics.counter("karst_recovered_frames_total"),
    skippedFrames: metrics.counter("karst_skipped_frames_total"),
    streamsQuarantined: metrics.counter("karst_streams_quarantined_total"),
    objectGets: metrics.counter("karst_object_gets_total"),
    objectChecksFailed: metrics.counter("karst_object_checks_failed_total"),
  };
}
