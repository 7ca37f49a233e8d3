// usage: node grafana.mjs FILE    What the types that Grafana publishes (@grafana/schema) say against a dashboard. Prints each mistake with the
// panel it is in; exit code 1 if there is one. Fields that no schema knows are mistakes too.
import {readFileSync} from "node:fs";
import {compile} from "./compiler.mjs";

const {panels, ...rest} = JSON.parse(readFileSync(process.argv[2], "utf8"));
const composable = "@grafana/schema/dist/esm/raw/composable";
// Grafana fills in what a panel leaves out, and writes its enumerations as their values. What a Prometheus query holds is published elsewhere.
const lines = [`
import type {AnnotationQuery, Dashboard, DataQuery, FieldConfig, FieldConfigSource, Panel, RowPanel} from "@grafana/schema";
import type {Options as StatOptions} from "${composable}/stat/panelcfg/x/StatPanelCfg_types.gen";
import type {FieldConfig as TimeseriesField, Options as TimeseriesOptions} from "${composable}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
type Plain<T> = T extends string ? \`\${T}\` : T extends object ? {[K in keyof T]: Plain<T[K]>} : T;
type Some<T> = T extends Array<infer E> ? Array<Some<E>> : T extends object ? {[K in keyof T]?: Some<T[K]>} : T;
interface Query extends DataQuery {
  expr: string; legendFormat?: string; editorMode?: "code" | "builder"; range?: boolean; instant?: boolean; exemplar?: boolean;
  format?: "time_series" | "table" | "heatmap"; interval?: string; datasource?: {type: "prometheus", uid: string};
}
type PanelOf<Kind, Options, Field> = Plain<Omit<Panel, "type" | "options" | "fieldConfig" | "targets">> & {
  id: number; title: string; type: Kind; options?: Plain<Some<Options>>; targets: Plain<Query>[];
  fieldConfig?: Plain<Omit<FieldConfigSource, "defaults">> & {defaults: Plain<Omit<FieldConfig, "custom">> & {custom?: Plain<Some<Field>>}};
};
type stat = PanelOf<"stat", StatOptions, {}>;
type timeseries = PanelOf<"timeseries", TimeseriesOptions, TimeseriesField>;
type row = Plain<RowPanel>;
interface Prometheus extends AnnotationQuery { expr: string; titleFormat?: string; textFormat?: string }
type Rest = Plain<Omit<Dashboard, "panels" | "annotations" | "templating">> & {annotations: {list: Plain<Prometheus>[]}, templating: Templating};
type Templating = {list: (Plain<NonNullable<NonNullable<Dashboard["templating"]>["list"]>[number]> & {definition?: string})[]};`.replaceAll("\n", " ")];
const names = ["the types"];

names.push("the dashboard");
lines.push(`export const rest: Rest = ${JSON.stringify(rest)};`);
panels.forEach((panel, i) => {
  names.push(panel.title);
  lines.push(`export const p${i}: ${panel.type} = ${JSON.stringify(panel)};`);
});
const mistakes = compile(lines).map(({line, text}) => line < 0 ? text : `${names[line]}: ${text}`);
for (const mistake of mistakes) console.log(mistake);
process.exit(mistakes.length ? 1 : 0);
