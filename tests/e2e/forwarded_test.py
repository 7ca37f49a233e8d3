"""Who the client is, behind proxies that are trusted and behind one that nobody named."""
from support.apps import Uvicorn
from support.case import EndToEnd
from support.waiting import wait_until

# The shapes in which a client behind a trusted proxy at 127.0.0.1 pretends to be somebody else. The proxy appends
# what it sees, 203.0.113.7, so that in all of them this is the client.
REAL = "203.0.113.7"
PRETENDED = {
    "x_forwarded_for": [
        [f"198.51.100.9, {REAL}"],
        [f"127.0.0.1, {REAL}"],
        ["198.51.100.9", REAL],
        [f"unknown, {REAL}"],
        [f"198.51.100.9:1234,{REAL}:5678"],
        [f"::ffff:198.51.100.9, {REAL}"],
        [f"198.51.100.9, \", {REAL}"],
        [f"198.51.100.9,, ,{REAL}"],
        ["198.51.100.9, " * 50 + REAL],
    ],
    "forwarded": [
        [f"for=198.51.100.9, for={REAL}"],
        [f"for=127.0.0.1, for={REAL};proto=https"],
        ["for=198.51.100.9", f"for={REAL}"],
        [f"for=unknown, for={REAL}"],
        [f"for=\"198.51.100.9:1234\",for=\"{REAL}:5678\""],
        [f"for=\"[::ffff:198.51.100.9]\", for={REAL}"],
        [f"for=\"198.51.100.9, for={REAL}"],
        [f"for=198.51.100.9;for=198.51.100.10, by=127.0.0.1;For={REAL}"],
        [f"for=198.51.100.9;x=\"\\\\, for={REAL}"],
    ],
}
NAMES = {"x_forwarded_for": "X-Forwarded-For", "forwarded": "Forwarded"}


class TrustedProxies(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())

    def behind(self, field, **config):
        return self.gatehouse({"upstream": self.app.url, "trusted_proxies": ["127.0.0.0/8"], "forwarded": {"field": field}, **config})

    def test_no_pretence_changes_who_the_client_is_in_either_field(self):
        for field, shapes in PRETENDED.items():
            with self.subTest(field=field):
                quota = len(shapes)
                proxy = self.behind(field, rate_limits=[{"name": "a", "key": "client_address", "quota": quota, "window": "1h"}])
                for number, values in enumerate(shapes):
                    response = proxy.fetch("GET", f"/echo/{number}", [(NAMES[field], value) for value in values])
                    self.assertEqual(response.status, 200, values)
                    self.assertEqual(proxy.record(url_path=f"/echo/{number}")["client.address"], REAL, values)
                refused = proxy.fetch("GET", "/", [(NAMES[field], value) for value in shapes[0]])
                self.assertEqual(refused.status, 429, "a pretence had a quota of its own")
                # Nobody can use up what belongs to another.
                victim = "198.51.100.9" if field == "x_forwarded_for" else "for=198.51.100.9"
                self.assertEqual(proxy.fetch("GET", "/", [(NAMES[field], victim)]).status, 200)

    def test_only_the_configured_field_is_read_and_the_other_one_does_not_reach_the_app(self):
        for field, value, other, invented in (("x_forwarded_for", REAL, "Forwarded", "for=198.51.100.9;proto=https"),
                                              ("forwarded", f"for={REAL}", "X-Forwarded-For", "198.51.100.9")):
            with self.subTest(field=field):
                proxy = self.behind(field)
                seen = dict(proxy.fetch("GET", "/echo", [(NAMES[field], value), (other, invented)]).json()["headers"])
                self.assertEqual(proxy.record(url_path="/echo")["client.address"], REAL)
                self.assertEqual(seen["x-forwarded-for"], f"{REAL}, 127.0.0.1")
                self.assertTrue(seen["forwarded"].startswith(f"for={REAL}, for=127.0.0.1;"), seen)

    def test_the_number_of_hops_that_are_read_is_bounded(self):
        proxy = self.gatehouse({"upstream": self.app.url, "trusted_proxies": ["0.0.0.0/0"], "forwarded": {"hops": 1}})
        proxy.fetch("GET", "/hops", [("X-Forwarded-For", f"198.51.100.9, {REAL}")])
        self.assertEqual(proxy.record(url_path="/hops")["client.address"], REAL)


class UnnamedProxy(EndToEnd):
    """A proxy in front whose address is not in trusted_proxies."""

    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())

    def send(self, proxy, count, fields, path="/"):
        for _ in range(2):
            with proxy.connect() as connection:
                for _ in range(count // 2):
                    self.assertEqual(connection.fetch("GET", path, fields).status, 200)

    def warnings(self, proxy):
        return [line for line in proxy.stdout + proxy.stderr if "is not trusted" in line]

    def test_an_operator_is_told_once_with_the_address_and_the_line_to_write(self):
        for workers in (1, 2):
            for field in (("X-Forwarded-For", "203.0.113.7"), ("Forwarded", "for=203.0.113.7")):
                with self.subTest(workers=workers, field=field[0]):
                    proxy = self.gatehouse({"upstream": self.app.url, "workers": workers})
                    self.send(proxy, 98, [field])
                    self.assertEqual(self.warnings(proxy), [])
                    self.send(proxy, 300, [field])
                    line = wait_until(lambda: self.warnings(proxy), "the operator is told")[0]
                    self.assertIn("127.0.0.1, which is not trusted", line)
                    self.assertIn('trusted_proxies: [\\"127.0.0.1\\"]', line)
                    wait_until(lambda: len(proxy.records()) >= 398, "all requests are recorded")
                    self.assertEqual(len(self.warnings(proxy)), 1)

    def test_nobody_is_told_where_the_proxy_is_trusted_or_nothing_was_forwarded(self):
        for trusted, fields in ((["127.0.0.1"], [("X-Forwarded-For", "203.0.113.7")]), ([], [("X-Fine", "1")])):
            with self.subTest(trusted=trusted):
                proxy = self.gatehouse({"upstream": self.app.url, "trusted_proxies": trusted})
                self.send(proxy, 300, fields)
                wait_until(lambda: len(proxy.records()) >= 300, "all requests are recorded")
                self.assertEqual(self.warnings(proxy), [])
