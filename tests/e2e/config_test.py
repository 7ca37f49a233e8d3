"""The verbs for configurations: validate, print-config and schema, and that loader and schema agree."""
import glob
import json
import os
import re
import subprocess
import tempfile

import jsonschema
import yaml

from support.case import EndToEnd
from support.gatehouse import BINARY, SANITIZED

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class CoreSchemaLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: `no` and `0100` are no surprises."""


CoreSchemaLoader.yaml_implicit_resolvers = {}
CoreSchemaLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
CoreSchemaLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
CoreSchemaLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
CoreSchemaLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"), list("-+.0123456789"))


def read_yaml(text):
    return yaml.load(text, CoreSchemaLoader)


def gatehouse(*arguments, env=None):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **(env or {})})


def bad_files():
    """The table of bad configurations that the unit tests have: name, kind and text of each."""
    with open(os.path.join(ROOT, "tests/unit/config/mistakes.txt")) as file:
        table = file.read()
    for part in re.split(r"^=== ", table, flags=re.M)[1:]:
        head, _, rest = part.partition("\n")
        name, kind = re.fullmatch(r"(\w+) \((\w+)\)", head).groups()
        yield name, kind, rest.partition("--->\n")[0]


# Has every map and list of the core keys.
GOOD = """
listeners: [{ address: "0.0.0.0:8443", tls: { self_signed: true } }]
admin: { address: "127.0.0.1:9901" }
upstream: { url: "http://127.0.0.1:8000", health: { path: /up } }
limits: {}
timeouts: {}
header_names: { allow: [x] }
paths: {}
trusted_proxies: ["::1"]
health: { allow: ["::1"], checks: [{ name: a, type: http, url: "http://a/" }] }
log: { redact: { names: [x], headers: [x], patterns: [x] }, access: { headers: [x] } }
routes: [{ match: { path: /a, methods: [GET] }, limits: {}, upstream: {} }]
shutdown: {}
"""

VALUES = ["", "~", "[]", "{}", "[a]", "{ a: b }", "0", "1", "-1", "3", "200", "64", "1024", "65536", "0.5", "1.0", "1.5", "1e1", "010", "0x10",
          "true", "false", "yes", "off", "True", "auto", "a", "a b", "GET", "get", "X-Api-Key", '""', '"1"', '"true"', '" "', '"é"', '"a\\nb"',
          "5s", "0s", "1m30s", "250ms", "1.5s", "10", "16KiB", "0B", "10MB", "10M", "/", "/a", "/a/*", '"/items/{id}"', "/é", '"/a b"', "json", "info",
          "warn", "stdout", "merge", "keep", "postgres", "200-399", '"200,204"', "2xx", "10.0.0.0/8", '"::1"', "10.0.0.1/8", "example.com",
          '"*.example.com"', '"[::1]"', "0.0.0.0:80", '"[::]:80"', "unix:/run/x", "http://a", "http://a:1/", "https://a/b?c#d", "redis://:p@h/0",
          "${SET}", '"${SET}"', '"${SET:-5s}"', '"$${SET}"', "<redacted>"]


class Configuration(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads(gatehouse("schema").stdout)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    def examples(self):
        """The example of the core keys, and those of the filters that this binary has."""
        filters = [file for file in sorted(glob.glob(os.path.join(ROOT, "config/filters/*.yaml")))
                   if os.path.basename(file).removesuffix(".yaml") in self.schema["properties"]]
        return [os.path.join(ROOT, "config/gatehouse.yaml"), *filters]

    def write(self, text):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "gatehouse.yaml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def mistakes_of_schema(self, text):
        return [error.message for error in self.validator.iter_errors(read_yaml(text))]

    def test_the_schema_is_one_of_draft_2020_12(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.assertEqual(self.schema["$schema"], "https://json-schema.org/draft/2020-12/schema")

    def test_loader_and_schema_take_every_example(self):
        for example in self.examples():
            with self.subTest(os.path.basename(example)):
                ran = gatehouse("validate", example)
                self.assertEqual((ran.returncode, ran.stdout), (0, ""), ran.stderr)
                with open(example) as file:
                    self.assertEqual(self.mistakes_of_schema(file.read()), [], example)

    def test_loader_and_schema_take_what_print_config_prints(self):
        for example in self.examples():
            with self.subTest(os.path.basename(example)):
                printed = gatehouse("print-config", example)
                self.assertEqual((printed.returncode, printed.stderr), (0, ""))
                self.assertEqual(self.mistakes_of_schema(printed.stdout), [])
                again = gatehouse("print-config", self.write(printed.stdout))
                self.assertEqual((again.returncode, again.stderr), (0, ""))
                self.assertEqual(again.stdout, printed.stdout)

    def test_the_schema_refuses_what_the_loader_refuses_for_its_shape(self):
        checked = 0
        for name, kind, text in bad_files():
            with self.subTest(name):
                self.assertEqual(gatehouse("validate", self.write(text)).returncode, 0 if name == "ARedactedSecretDoesNotServe" else 2)
                if kind == "yaml":
                    self.assertRaises(yaml.YAMLError, lambda: read_yaml(text))
                if kind == "shape":
                    checked += 1
                    self.assertNotEqual(self.mistakes_of_schema(text), [], text)
        self.assertGreater(checked, 50)

    def test_the_schema_takes_whatever_the_loader_takes(self):
        """Every key with every value of a heap, in an otherwise good configuration."""
        # The loader under a sanitizer is the unit tests' affair; there a part of the heap must do.
        part = 8 if SANITIZED else 1
        texts = list(self.variations())[::part]
        folder = self.enterContext(tempfile.TemporaryDirectory())
        files = [os.path.join(folder, f"{number}.yaml") for number in range(len(texts))]
        for file, text in zip(files, texts):
            with open(file, "w") as out:
                out.write(text)
        ran = gatehouse("validate", *files, env={"SET": "value"})
        fine = {line.removesuffix(": fine") for line in ran.stderr.splitlines() if line.endswith(": fine")}
        self.assertGreater(len(fine), 300 // part)
        self.assertLess(len(fine), len(files))
        refused = [text for file, text in zip(files, texts) if file in fine and self.mistakes_of_schema(text)]
        self.assertEqual(refused, [])

    def variations(self):
        good = read_yaml(GOOD)

        def walk(schema, node, put):
            for alternative in schema.get("anyOf", []):
                walk(alternative, node, put)
            for name, value in schema.get("properties", {}).items():
                if isinstance(node, dict):
                    walk(value, node.get(name), lambda text, name=name: put({**node, name: text}))
            if "items" in schema and isinstance(node, list) and node:
                walk(schema["items"], node[0], lambda text: put([text, *node[1:]]))
            puts.append(put)

        puts = []
        walk(self.schema, good, lambda tree: tree)
        for put in puts:
            for value in VALUES:
                # A mark that JSON cannot hold unquoted makes room for the value as it is written.
                yield json.dumps(put("@VALUE@")).replace('"@VALUE@"', value)

    def test_the_schema_takes_variables_and_secret_files_in_place_of_values(self):
        text = """
upstream: { url: "${URL}", replay: "${REPLAY}", connect_timeout: "${T:-3s}", max_connections: "${N}" }
workers: ${WORKERS:-auto}
log: { level: "${LEVEL:-info}", access: { sample: "${SAMPLE}" } }
limits: { body: "${BODY}" }
health: { token_file: /nonexistent, checks: [{ name: db, type: postgres, url_file: /nonexistent }] }
trusted_proxies: ["${PROXY}"]
"""
        self.assertEqual(self.mistakes_of_schema(text), [])

    def test_every_mistake_comes_with_its_place_on_standard_error(self):
        path = self.write("upstream: ftp://x\nworkres: 2\n")
        ran = gatehouse("validate", path)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""))
        self.assertEqual(ran.stderr, f'{path}:1:11: upstream.url: "ftp://x" is not a URL: write http://127.0.0.1:8000 or '
                                     f'unix:/run/app.sock\n{path}:2:1: workres: is not a known key; did you mean "workers"?\n')

    def test_a_pipe_is_refused_at_once(self):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "pipe")
        os.mkfifo(path)
        ran = gatehouse("validate", path)
        self.assertEqual((ran.returncode, ran.stderr), (2, f"{path}: is not a regular file\n"))

    def test_a_printed_configuration_holds_no_secret_and_cannot_serve_with_its_gaps(self):
        path = self.write("upstream: http://127.0.0.1:8000\n"
                          "health: { token: hunter2, checks: [{ name: a, type: redis, url: 'redis://:${PW}@cache' }] }\n")
        printed = gatehouse("print-config", path, env={"PW": "hunter3"})
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertNotRegex(printed.stdout, "hunter")
        self.assertIn('token: "<redacted>"\n', printed.stdout)
        self.assertIn('url: "redis://:${PW}@cache"\n', printed.stdout)
        again = self.write(printed.stdout)
        self.assertEqual(gatehouse("validate", again, env={"PW": "x"}).returncode, 0)
        ran = gatehouse("run", "--config", again, env={"PW": "x"})
        self.assertEqual(ran.returncode, 2)
        self.assertIn("health.token: holds \"<redacted>\"", ran.stderr)

    def test_the_reference_page_has_every_key(self):
        page = gatehouse("schema", "--reference").stdout
        names = set()

        def collect(schema):
            for name, value in schema.get("properties", {}).items():
                # A secret may come from a file, and then its key is told once, without the ending.
                secret = name.endswith("_file") and name.removesuffix("_file") in schema["properties"]
                names.add(name.removesuffix("_file") if secret else name)
                collect(value)
                collect(value.get("items", {}))
                for alternative in value.get("anyOf", []):
                    collect(alternative)

        collect(self.schema)
        self.assertGreater(len(names), 60)
        for name in names:
            self.assertIn(f"| `{name}`", page)

    def test_each_verb_explains_itself_on_standard_output(self):
        for verb in ("validate", "print-config", "schema", "version"):
            with self.subTest(verb):
                ran = gatehouse(verb, "--help")
                self.assertEqual((ran.returncode, ran.stderr), (0, ""))
                self.assertIn(verb, ran.stdout)

    def test_wrong_usage_ends_with_two_and_says_why(self):
        for arguments in ([], ["frobnicate"], ["validate"], ["print-config"], ["schema", "--nonsense"]):
            with self.subTest(arguments):
                ran = gatehouse(*arguments)
                self.assertEqual((ran.returncode, ran.stdout), (2, ""))
                self.assertTrue(ran.stderr)
