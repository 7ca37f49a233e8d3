// What the TypeScript compiler, as strict as it can be, says against lines that exist in memory only: [{line, text}], line -1 where it is none of
// them. They may import the packages beside this file.
import ts from "typescript";

export function compile(lines) {
  const file = new URL("objects.ts", import.meta.url).pathname;
  const options = {noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext,
                   moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022, types: []};
  const host = ts.createCompilerHost(options);
  const onDisk = {exists: host.fileExists.bind(host), source: host.getSourceFile.bind(host)};
  host.fileExists = name => name === file || onDisk.exists(name);
  host.getSourceFile = (name, target, ...rest) =>
    name === file ? ts.createSourceFile(name, lines.join("\n"), target) : onDisk.source(name, target, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map(found => ({
    line: found.file && found.file.fileName === file ? found.file.getLineAndCharacterOfPosition(found.start).line : -1,
    text: ts.flattenDiagnosticMessageText(found.messageText, " ")}));
}
