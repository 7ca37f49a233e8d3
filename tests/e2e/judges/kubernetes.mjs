// usage: node kubernetes.mjs < SETS    {"name": [Kubernetes objects], ...} as JSON. Prints `name: mistake` for each; exit code 1 if there is one.
// Two judges, both generated from the schemas that Kubernetes and the Prometheus operator publish: the schemas themselves (types,
// formats, patterns, what is required), and the TypeScript compiler, which also refuses fields that no schema knows.
import {readFileSync} from "node:fs";
import {compile} from "./compiler.mjs";

const operator = "monitoring.coreos.com";
const mistakes = [];
const lines = [];
const names = [];

for (const [set, objects] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  for (const object of objects) {
    const name = `${set}: ${object.kind}/${object.metadata?.name}`;
    const group = object.apiVersion.split("/")[0];
    const module = `${group === operator ? "@kubernetes-models/prometheus-operator" : "kubernetes-models"}/${object.apiVersion}/${object.kind}`;
    const models = await import(module).catch(() => ({}));
    if (!models[object.kind]) {
      mistakes.push(`${name}: no published schema for ${object.apiVersion} ${object.kind}`);
      continue;
    }
    try {
      new models[object.kind](object).validate();
    } catch (error) {
      mistakes.push(`${name}: ${error.message}`);
    }
    const i = lines.length;
    names.push(name);
    lines.push(`import type {I${object.kind} as T${i}} from ${JSON.stringify(module)}; export const o${i}: T${i} = ${JSON.stringify(object)};`);
  }
}

for (const {line, text} of compile(lines)) mistakes.push(line < 0 ? text : `${names[line]}: ${text}`);

for (const mistake of mistakes) console.log(mistake);
process.exit(mistakes.length ? 1 : 0);
