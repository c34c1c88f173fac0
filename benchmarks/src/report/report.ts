import type { Figures } from "../measure/figures.ts";

export type Cell = string | number | Figures | undefined;

/** Prints tables of medians, each with the least and the most of its rounds. */
export class Report {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  title(text: string): void {
    this.#write(`\n## ${text}\n`);
  }

  line(text: string): void {
    this.#write(text);
  }

  /** The first column is text, the others are figures. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
    const cells = [head, ...rows.map((row) => row.map(textOf))];
    const widths = head.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? "").length)));
    const lines = cells.map((row) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[i] ?? 0))),
    );
    const rule = widths.map((width, i) =>
      i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
    );
    for (const line of [lines[0] ?? [], rule, ...lines.slice(1)]) {
      this.#write(`| ${line.join(" | ")} |`);
    }
  }
}

function textOf(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "string") return cell;
  if (typeof cell === "number") return short(cell);
  return `${short(cell.median)} [${short(cell.min)}–${short(cell.max)}]`;
}

/** Three digits; thousands and millions by letter. */
function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)} k`;
  if (value >= 1e3) return value.toFixed(0);
  return value.toPrecision(3);
}
