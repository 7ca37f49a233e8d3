// usage: node kubernetes.mjs < SETS    {"name": [Kubernetes objects], ...} as JSON. Prints `name: mistake` for each; exit code 1 if there is one.
// Two judges, both generated from the schemas that Kubernetes and the Prometheus operator publish: the schemas themselves (types,
// formats, patterns, what is required), and the TypeScript compiler, which also refuses fields that no schema knows.
import {readFileSync} from "node:fs";
import ts from "typescript";

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

// One object a line, in a file that exists in memory only, beside the packages it imports.
const file = new URL("objects.ts", import.meta.url).pathname;
const options = {noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext,
                 moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022, types: []};
const host = ts.createCompilerHost(options);
const onDisk = {exists: host.fileExists.bind(host), source: host.getSourceFile.bind(host)};
host.fileExists = name => name === file || onDisk.exists(name);
host.getSourceFile = (name, target, ...rest) =>
  name === file ? ts.createSourceFile(name, lines.join("\n"), target) : onDisk.source(name, target, ...rest);
for (const found of ts.getPreEmitDiagnostics(ts.createProgram([file], options, host))) {
  const line = found.file && found.file.fileName === file ? found.file.getLineAndCharacterOfPosition(found.start).line : -1;
  const text = ts.flattenDiagnosticMessageText(found.messageText, " ");
  mistakes.push(line < 0 ? text : `${names[line]}: ${text}`);
}

for (const mistake of mistakes) console.log(mistake);
process.exit(mistakes.length ? 1 : 0);
