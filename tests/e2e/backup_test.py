"""Backups are rehearsed: made from a real PostgreSQL, damaged, restored, put in the place of what was lost. Migrations are tried on a
copy first."""
import glob
import os
import shutil
import subprocess
import tempfile
import threading

from support.case import EndToEnd
from support.judges import DEPLOY
from support.process import Process
from support.services import Postgres
from support.waiting import wait_until

SCHEMA = """
create role shop_reader;
create table customers (id serial primary key, name text not null unique);
create table orders (id serial primary key, customer int not null references customers, items jsonb not null default '[]');
create schema audit; create table audit."Log Entries" (at timestamptz default now(), what text);
alter table orders enable row level security; create policy readers on orders for select to shop_reader using (true);
grant select on orders to shop_reader;
insert into customers (name) select 'customer ' || n from generate_series(1, 100) n;
insert into orders (customer, items) select 1 + n % 100, '["teapot", "cup"]' from generate_series(1, 1000) n;
insert into audit."Log Entries" (what) values ('made'), ('a line' || chr(10) || 'and another');
"""


class WithShop(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.start_shared(Postgres())
        cls.secret = os.path.join(cls.server.folder, "secret")
        cls.sql("postgres", SCHEMA.split(";")[0])
        cls.database = 0

    @classmethod
    def sql(cls, database, text):
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, capture_output=True, text=True,
                              env={**cls.environment(), "PGPASSWORD": cls.server.password})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @classmethod
    def environment(cls, **more):
        return {"PATH": os.environ["PATH"], "PGHOST": "127.0.0.1", "PGPORT": str(cls.server.port), "PGUSER": "app",
                "PGPASSWORD_FILE": cls.secret, **more}

    @classmethod
    def make_shop(cls):
        cls.database += 1
        cls.sql("postgres", f"create database shop{cls.database}")
        cls.sql(f"shop{cls.database}", SCHEMA.split(";", 1)[1])
        return f"shop{cls.database}"

    def setUp(self):
        self.shop = self.make_shop()
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def script(self, *command, **environment):
        """(exit code, what it said); nothing it says holds the password, and it leaves nothing behind."""
        scratch = os.path.join(self.folder, "tmp")
        os.makedirs(scratch, mode=0o711, exist_ok=True)
        os.chmod(self.folder, 0o711)
        done = subprocess.run([os.path.join(DEPLOY, command[0]), *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment(**{"PGDATABASE": self.shop, "BACKUP_DIR": self.folder, "TMPDIR": scratch, **environment}))
        self.assertNotIn(self.server.password, done.stdout)
        self.assertEqual(os.listdir(scratch), [], "left behind")
        return done.returncode, done.stdout

    def backup(self):
        code, said = self.script("backup/backup")
        self.assertEqual(code, 0, said)
        [dump] = glob.glob(os.path.join(self.folder, f"{self.shop}-*.dump"))
        return dump


class Backups(WithShop):
    def test_a_backup_is_kept_after_it_has_been_restored_once(self):
        code, said = self.script("backup/backup")
        self.assertEqual(code, 0, said)
        self.assertIn("3 tables restored with all their rows", said)
        names = sorted(name for name in os.listdir(self.folder) if name != "tmp")
        self.assertEqual([name.rpartition(".")[2] for name in names], ["latest", "dump", "roles", "rows"])
        for name in names:
            self.assertEqual(os.stat(os.path.join(self.folder, name)).st_mode & 0o077, 0, name)

    def test_what_was_lost_comes_back_and_takes_its_old_name(self):
        dump = self.backup()
        self.sql(self.shop, "delete from orders where id > 10; drop schema audit cascade")
        code, said = self.script("backup/restore", dump, f"{self.shop}_restored", PGDATABASE="postgres")
        self.assertEqual(code, 0, said)
        self.sql("postgres", f"alter database {self.shop} rename to {self.shop}_broken; alter database {self.shop}_restored rename to {self.shop}")
        self.assertEqual(self.sql(self.shop, "select count(*) from orders"), "1000")
        self.assertEqual(self.sql(self.shop, 'select count(*) from audit."Log Entries"'), "2")
        self.assertEqual(self.sql(self.shop, "select has_table_privilege('shop_reader', 'orders', 'select')"), "t")
        self.sql(self.shop, "insert into orders (customer) values (1)")  # the sequences came along

    def test_a_restore_touches_no_database_that_exists(self):
        dump = self.backup()
        self.sql(self.shop, "delete from orders")
        code, said = self.script("backup/restore", dump, self.shop, PGDATABASE="postgres")
        self.assertEqual(code, 1)
        self.assertIn("is there one already?", said)
        self.assertEqual(self.sql(self.shop, "select count(*) from orders"), "0")

    def test_a_damaged_backup_is_found_out(self):
        dump = self.backup()
        with open(dump, "rb") as file:
            whole = file.read()
        for name, spoil in (("cut", whole[: len(whole) * 2 // 3]), ("empty", b"")):
            with self.subTest(name):
                with open(dump, "wb") as file:
                    file.write(spoil)
                code, said = self.script("backup/restore-check", dump)
                self.assertEqual(code, 1, said)
                self.assertIn("cannot be restored", said)

    def test_a_backup_in_which_rows_are_missing_is_found_out(self):
        dump = self.backup()
        rows = dump.removesuffix("dump") + "rows"
        with open(rows) as file:
            text = file.read()
        self.assertIn("public.orders|1000\n", text)
        with open(rows, "w") as file:
            file.write(text.replace("|1000", "|1001"))
        code, said = self.script("backup/restore-check", dump)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"< public.orders\|1001[\s\S]*> public.orders\|1000")

    def test_a_backup_during_writes_holds_one_moment(self):
        stop = threading.Event()

        def write():
            while not stop.is_set():
                self.sql(self.shop, "insert into orders (customer) select 1 from generate_series(1, 50); delete from customers where id = -1")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            self.backup()
        finally:
            stop.set()
            writer.join()

    def test_the_oldest_backups_go(self):
        for year in (2019, 2020, 2021):
            for kind in ("dump", "rows", "roles"):
                open(os.path.join(self.folder, f"{self.shop}-{year}0101T000000Z.{kind}"), "w").close()
        open(os.path.join(self.folder, f"{self.shop}-notes.dump"), "w").close()  # not ours
        code, said = self.script("backup/backup", BACKUP_KEEP="2")
        self.assertEqual(code, 0, said)
        left = sorted(os.path.basename(path) for path in glob.glob(os.path.join(self.folder, "*.dump")))
        self.assertEqual(len(left), 3, left)
        self.assertIn(f"{self.shop}-20210101T000000Z.dump", left)
        self.assertIn(f"{self.shop}-notes.dump", left)
        self.assertEqual(len(glob.glob(os.path.join(self.folder, "*.rows"))), 2)

    def test_started_together_with_the_server_it_waits_for_it(self):
        server = self.start(Postgres())
        server.ends(2)
        every = self.start(Process([os.path.join(DEPLOY, "backup/backup"), "--every", "1h"], env=self.environment(
            PGPORT=str(server.port), PGPASSWORD_FILE=os.path.join(server.folder, "secret"), PGDATABASE="postgres", BACKUP_DIR=self.folder)))
        wait_until(lambda: any("waiting for PostgreSQL" in line for line in every.stderr), "it waits")
        server.begin()
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "latest")), "the first backup", patience=60)
        every.stop()

    def test_without_a_server_there_is_no_backup_and_nothing_claims_one(self):
        code, said = self.script("backup/backup", PGPORT="1")
        self.assertEqual(code, 1, said)
        self.assertEqual([name for name in os.listdir(self.folder) if name != "tmp"], [])


class Migrations(WithShop):
    def setUp(self):
        super().setUp()
        self.dump = self.backup()
        self.rows = self.sql(self.shop, "select count(*) from orders")

    def gate(self, migrate, *more):
        """The gate's verdict on a migration given as SQL."""
        path = os.path.join(self.folder, "migration.sql")
        with open(path, "w") as file:
            file.write(migrate)
        code, said = self.script("ci/migration-gate", "--backup", self.dump, "--migrate",
                                 f'psql -qX -v ON_ERROR_STOP=1 --single-transaction "$DATABASE_URL" -f {path}', *more)
        self.assertEqual(self.sql(self.shop, "select count(*) from orders"), self.rows)
        self.assertEqual(self.sql(self.shop, "select count(*) from pg_attribute where attname = 'note'"), "0")
        return code, said

    def test_a_migration_that_can_be_repeated_and_undone_passes(self):
        code, said = self.gate("alter table orders add column if not exists note text;",
                               "--verify", 'psql -qX -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "insert into orders (customer) values (1)"',
                               "--undo", 'psql -qX "$DATABASE_URL" -c "alter table orders drop column note"')
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"the migration took \d+ ms on a copy of 1102 rows")

    def test_what_would_hurt_in_production_is_stopped(self):
        for name, migrate, more, word in (
                ("a mistake", "alter table oders add column note text;", [], "migration failed"),
                ("no second run", "alter table orders add column note text;", [], "second run of the migration failed"),
                ("lost rows", "delete from orders where id > 900;", [], "public.orders had 1000 rows, has 900"),
                ("a lost table", "drop table if exists orders;", [], "public.orders is gone, with 1000 rows"),
                ("the old release", "do $$ begin alter table orders rename items to goods; exception when undefined_column then end $$;",
                 ["--verify", 'psql -qX -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "select items from orders limit 1"'], "verification failed"),
                ("no way back", "alter table orders add column if not exists note text;", ["--undo", "true"], "undo does not bring the schema back")):
            with self.subTest(name):
                code, said = self.gate(migrate, *more)
                self.assertEqual(code, 1, said)
                self.assertIn(word, said)
                self.assertNotIn("the gate is open", said)

    def test_a_loss_that_is_named_is_allowed(self):
        code, said = self.gate("drop table if exists orders;", "--allow-loss", "public.orders")
        self.assertEqual(code, 0, said)
