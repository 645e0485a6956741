// Verifies the receipts of a file with the page's own module, and prints what
// came of each: node run.mjs MODULE FILE
//
// Nothing may be sent meanwhile.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "EventSource"]) {
  globalThis[name] = () => { throw new Error(`${name} was called`); };
}
const { readKeys, readReceipts, verify } = await import(pathToFileURL(process.argv[2]));
const cases = JSON.parse(readFileSync(process.argv[3], "utf8"));
const out = {};
for (const { name, receipt, keys } of cases) {
  try {
    const known = readKeys(keys);
    const results = [];
    for (const one of readReceipts(receipt)) results.push(await verify(one, known));
    out[name] = results.map((r) => ({ state: r.state, steps: r.steps.map((s) => `${s.name}:${s.state}`), text: r.steps.map((s) => s.text).join("\n"), meaning: r.meaning }));
  } catch (error) {
    out[name] = [{ state: "refused", text: error.message, steps: [] }];
  }
}
console.log(JSON.stringify(out));
