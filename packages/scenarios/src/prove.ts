// npm run prove -- --report: what has been run to show that nothing acknowledged is lost, as JSON.
import { parseArgs } from "node:util";
import { readLedger, totalsOf } from "./proof/ledger.ts";
import { writePage } from "./proof/page.ts";

const HELP = `npm run prove -- --report | --write

  --report  totals of docs/reliability-ledger.jsonl, as JSON
  --write   puts them into docs/reliability.md`;

const { values } = parseArgs({
  options: {
    report: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.report) console.log(JSON.stringify(totalsOf(readLedger()), undefined, 2));
else if (values.write) writePage();
else {
  console.log(HELP);
  if (!values.help) process.exitCode = 1;
}
