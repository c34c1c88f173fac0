/** Property runs: a few in the suite, as many as `KARST_RUNS` says elsewhere. */
export function runs(usual: number): number {
  return Number(process.env["KARST_RUNS"] ?? usual);
}
