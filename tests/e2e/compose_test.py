"""deploy/compose, as far as it shows without containers: tests/container starts it."""
import configparser
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

from support import judges
from support.case import EndToEnd
from support.gatehouse import run_to_end
from support.services import Postgres, _Service

FOLDER = os.path.join(judges.DEPLOY, "compose")


def setUpModule():
    judges.install()


def compose():
    with open(os.path.join(FOLDER, "compose.yaml")) as file:
        return yaml.safe_load(file)


def copy_with_secrets(test):
    """A copy of the folder in which make-secrets has run."""
    folder = os.path.join(test.enterContext(tempfile.TemporaryDirectory()), "compose")
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("secrets", "tls", "backups", ".env"))
    subprocess.run([os.path.join(folder, "make-secrets")], check=True, capture_output=True)
    return folder


def secret(folder, name):
    with open(os.path.join(folder, "secrets", name)) as file:
        return file.read()


class ComposeFile(unittest.TestCase):
    def test_it_is_what_the_compose_specification_describes(self):
        jsonschema.validate(compose(), judges.compose_schema())
        spoiled = compose()
        spoiled["services"]["app"]["read_onlly"] = True
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(spoiled, judges.compose_schema())

    def test_every_variable_is_documented_with_the_default_it_has(self):
        with open(os.path.join(FOLDER, "compose.yaml")) as file:
            used = re.findall(r"\$\{(\w+)(?::-([^}]*))?\}", re.sub(r"^\s*#.*$", "", file.read(), flags=re.M))
        with open(os.path.join(FOLDER, ".env.example")) as file:
            documented = dict(re.findall(r"^(\w+)=(.*)$", file.read(), re.M))
        self.assertEqual(documented.pop("COMPOSE_PROFILES"), "")
        self.assertEqual(dict(used), documented)
        self.assertEqual(len(set(used)), len(documented), "one default each")

    def test_the_app_and_gatehouse_start_alone(self):
        services = compose()["services"]
        self.assertEqual([name for name, service in services.items() if "profiles" not in service], ["app", "gatehouse"])
        self.assertEqual({profile for service in services.values() for profile in service.get("profiles", [])}, {"data", "metrics"})
        self.assertNotIn("depends_on", services["app"])
        self.assertEqual(services["gatehouse"]["depends_on"], ["app"])  # and so it is stopped first

    def test_only_gatehouse_is_reached_from_other_machines(self):
        parts = compose()
        for name, service in parts["services"].items():
            for port in service.get("ports", []):
                self.assertTrue(name == "gatehouse" or port.startswith("127.0.0.1:"), f"{name} publishes {port}")
        self.assertFalse([name for name, network in parts["networks"].items() if name != "edge" and not network.get("internal")])
        self.assertNotIn("edge", parts["services"]["app"]["networks"])

    def test_services_give_up_what_they_do_not_need(self):
        for name, service in compose()["services"].items():
            with self.subTest(name):
                self.assertIn("no-new-privileges:true", service["security_opt"])
                if name != "postgres":  # its start as root hands the volume to its own user
                    self.assertEqual(service["cap_drop"], ["ALL"])
                if name in ("app", "gatehouse", "pgbouncer", "redis", "prometheus"):
                    self.assertTrue(service["read_only"])
                self.assertNotRegex(service["image"], r":(latest)?\}?$")

    def test_no_password_is_in_a_file_of_the_repository(self):
        text = yaml.safe_dump(compose())
        self.assertIsNone(re.search(r"(?i)password['\"]?: *(?!/run/secrets)[a-z0-9]{4,}$", text, re.M))
        ignored = subprocess.run(["git", "check-ignore", "secrets/postgres_password", ".env", "tls/tls.key", "backups/postgres/app.dump"], cwd=FOLDER, capture_output=True, text=True)
        self.assertEqual(len(ignored.stdout.split()), 4)


class Prometheus(unittest.TestCase):
    def test_it_scrapes_gatehouse_by_name_with_the_rules_that_are_mounted(self):
        mounts = dict(volume.removesuffix(":ro").split(":") for volume in compose()["services"]["prometheus"]["volumes"] if volume.startswith("."))
        self.assertEqual(mounts, {"./prometheus.yml": "/etc/prometheus-compose.yml", "../prometheus": "/etc/prometheus"})
        with open(os.path.join(FOLDER, "prometheus.yml")) as file, tempfile.NamedTemporaryFile("w", suffix=".yml") as here:
            text = file.read()
            here.write(text.replace("/etc/prometheus/", os.path.join(judges.DEPLOY, "prometheus/")))
            here.flush()
            done = subprocess.run(["promtool", "check", "config", here.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"[1-9]\d* rule files found")
        [job] = yaml.safe_load(text)["scrape_configs"]
        self.assertEqual((job["job_name"], job["static_configs"]), ("gatehouse", [{"targets": ["gatehouse:9901"]}]))

    def test_what_grafana_is_given_exists(self):
        for volume in compose()["services"]["grafana"]["volumes"]:
            if volume.startswith("."):
                self.assertTrue(os.listdir(os.path.join(FOLDER, volume.split(":")[0])), volume)


class Secrets(unittest.TestCase):
    def test_they_are_made_once_in_a_folder_that_others_cannot_enter(self):
        folder = copy_with_secrets(self)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(folder, "secrets")).st_mode), 0o700)
        modes = [stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in ("backups", "backups/postgres")]
        self.assertEqual(modes, [0o700, 0o1777])
        names = sorted(os.listdir(os.path.join(folder, "secrets")))
        self.assertEqual(names, sorted(compose()["secrets"]))
        before = {name: secret(folder, name) for name in names}
        self.assertEqual(len(before["postgres_password"]), 48)
        subprocess.run([os.path.join(folder, "make-secrets")], check=True, capture_output=True)
        self.assertEqual({name: secret(folder, name) for name in names}, before)

    def test_gatehouse_accepts_both_configurations_with_them(self):
        folder = copy_with_secrets(self)
        for name in ("gatehouse.yaml", "full.yaml"):
            path = os.path.join(folder, "gatehouse", name)
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("/run/secrets/", os.path.join(folder, "secrets") + "/"))
            code, _, err = run_to_end("validate", path)
            self.assertEqual(code, 0, err)


class Redis(_Service):
    """Redis with the configuration that make-secrets writes."""
    user = "redis"

    def __init__(self, folder):
        self.source = folder
        super().__init__()

    def command(self):
        path = os.path.join(self.folder, "redis.conf")
        with open(path, "w") as file:
            file.write(secret(self.source, "redis_conf").replace("dir /data", f"dir {self.folder}"))
        os.chmod(path, 0o644)
        return ["redis-server", path, "--port", self.port, "--bind", "127.0.0.1"]


class PgBouncer(_Service):
    """PgBouncer with the configuration that is shipped; addresses are the test's."""
    user = "postgres"

    def __init__(self, folder, server):
        self.source, self.server = folder, server
        super().__init__()

    def command(self):
        users = os.path.join(self.folder, "users")
        shutil.copyfile(os.path.join(self.source, "secrets/pgbouncer_users"), users)
        os.chmod(users, 0o444)
        ini = configparser.ConfigParser()
        ini.read(os.path.join(FOLDER, "pgbouncer/pgbouncer.ini"))
        ini["databases"]["app"] = ini["databases"]["app"].replace("host=postgres port=5432", f"host=127.0.0.1 port={self.server.port}")
        version = subprocess.run(["/usr/sbin/pgbouncer", "--version"], capture_output=True, text=True).stdout.split()[1]
        if tuple(map(int, version.split(".")[:2])) < (1, 21):  # Debian 12's; the image has Debian 13's
            ini.remove_option("pgbouncer", "max_prepared_statements")
        ini["pgbouncer"].update({"listen_addr": "127.0.0.1", "listen_port": str(self.port), "auth_file": users})
        path = os.path.join(self.folder, "pgbouncer.ini")
        with open(path, "w") as file:
            ini.write(file)
        os.chmod(path, 0o644)
        return ["/usr/sbin/pgbouncer", path]


class Services(EndToEnd):
    def test_the_app_reaches_postgresql_through_pgbouncer_with_the_secrets_that_were_made(self):
        folder = copy_with_secrets(self)
        server = type("Server", (Postgres,), {"password": secret(folder, "postgres_password")})
        postgres = self.start(server())
        subprocess.run(["psql", "-qX", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "app", "-d", "postgres", "-c", "create database app"],
                       check=True, capture_output=True, env={**os.environ, "PGPASSWORD": postgres.password})
        bouncer = self.start(PgBouncer(folder, postgres))
        url = secret(folder, "database_url").replace("pgbouncer:6432", f"127.0.0.1:{bouncer.port}")
        done = subprocess.run(["psql", "-qXAt", url, "-c", "select 6 * 7"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "42\n"), done.stderr)
        wrong = re.sub(r":[0-9a-f]{48}@", ":wrong@", url)
        self.assertNotEqual(subprocess.run(["psql", "-qXAt", wrong, "-c", "select 1"], capture_output=True).returncode, 0)

    def test_redis_asks_for_the_password_that_was_made(self):
        folder = copy_with_secrets(self)
        redis = self.start(Redis(folder))
        url = secret(folder, "redis_url").replace("redis:6379", f"127.0.0.1:{redis.port}")
        for address, answer in ((url, "PONG"), (f"redis://127.0.0.1:{redis.port}", "NOAUTH")):
            done = subprocess.run(["redis-cli", "--no-auth-warning", "-u", address, "ping"], capture_output=True, text=True)
            self.assertIn(answer, done.stdout + done.stderr)
