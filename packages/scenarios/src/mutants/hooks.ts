/** One module, by its URL, and what is loaded in its place. */
export interface Replacement {
  readonly url: string;
  readonly source: string;
}

interface Loaded {
  readonly format: string;
  readonly shortCircuit: true;
  readonly source: string;
}

let replacement: Replacement | undefined;

// Run by Node on its own thread: see `module.register`.

export function initialize(data: Replacement): void {
  replacement = data;
}

export async function load<Context, Rest>(
  url: string,
  context: Context,
  next: (url: string, context: Context) => Promise<Rest>,
): Promise<Loaded | Rest> {
  return url === replacement?.url
    ? { format: "module", shortCircuit: true, source: replacement.source }
    : next(url, context);
}
