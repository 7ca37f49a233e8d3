"""TLS as clients meet it: versions, names, the redirect, and those who speak something else on that port."""
import socket
import ssl
import tempfile

from support.apps import Uvicorn
from support.case import EndToEnd
from support.certificates import Authority
from support.gatehouse import Gatehouse
from support.http_client import Connection, fetch, trusting
from support.ports import free_port
from support.waiting import wait_until

V1_1, V1_2, V1_3 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Versions(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url}, tls=True))

    def version_with(self, address, minimum, maximum):
        with Connection(address, trusting(minimum=minimum, maximum=maximum)) as connection:
            self.assertEqual(connection.fetch("GET", "/").status, 200)
            return connection.socket.version()

    def test_tls_1_2_and_1_3_are_spoken(self):
        self.assertEqual(self.version_with(self.proxy.https, V1_2, V1_2), "TLSv1.2")
        self.assertEqual(self.version_with(self.proxy.https, V1_3, V1_3), "TLSv1.3")

    def test_tls_1_1_is_refused(self):
        with self.assertRaises(ssl.SSLError) as refusal:
            self.version_with(self.proxy.https, V1_1, V1_1)
        self.assertIn("PROTOCOL_VERSION", str(refusal.exception.reason))

    def test_the_modern_profile_speaks_tls_1_3_alone(self):
        proxy = self.gatehouse({"upstream": self.app.url, "listeners": [
            {"address": f"127.0.0.1:{free_port()}", "tls": {"self_signed": True, "profile": "modern"}}]})
        self.assertEqual(self.version_with(proxy.https, V1_2, V1_3), "TLSv1.3")
        with self.assertRaises(ssl.SSLError) as refusal:
            self.version_with(proxy.https, V1_2, V1_2)
        self.assertIn("PROTOCOL_VERSION", str(refusal.exception.reason))

    def test_tls_1_2_takes_forward_secret_aead_ciphers_alone(self):
        for cipher in ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA"):
            context = trusting(minimum=V1_2, maximum=V1_2)
            context.set_ciphers(cipher + ":@SECLEVEL=0")
            with self.subTest(cipher), self.assertRaises(ssl.SSLError):
                Connection(self.proxy.https, context)

    def test_the_version_is_in_the_access_record(self):
        fetch(self.proxy.https, "/echo/recorded", tls=trusting(minimum=V1_3))
        self.assertEqual(self.proxy.record(url_path="/echo/recorded")["tls.protocol.version"], "1.3")

    def test_a_client_that_offers_http_1_1_by_alpn_gets_it(self):
        context = trusting()
        context.set_alpn_protocols(["http/1.1"])
        with Connection(self.proxy.https, context) as connection:
            self.assertEqual(connection.socket.selected_alpn_protocol(), "http/1.1")
            self.assertEqual(connection.fetch("GET", "/").status, 200)

    def test_a_session_is_resumed(self):
        context = trusting(minimum=V1_2, maximum=V1_2)
        with Connection(self.proxy.https, context) as connection:
            connection.fetch("GET", "/")
            session = connection.socket.session
        with socket.create_connection(self.proxy.https) as plain, \
                context.wrap_socket(plain, server_hostname="localhost", session=session) as again:
            self.assertTrue(again.session_reused)

    def test_a_kept_connection_carries_many_requests_and_ends_with_close_notify(self):
        with Connection(self.proxy.https, trusting()) as connection:
            for _ in range(20):
                self.assertEqual(connection.fetch("GET", "/").status, 200)
            connection.fetch("GET", "/", [("Connection", "close")])
            connection.socket.suppress_ragged_eofs = False
            self.assertTrue(connection.closed())


class Names(EndToEnd):
    def test_each_name_gets_its_certificate_and_an_unknown_name_the_first(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        authority = Authority(folder)
        pairs = [authority.issue("first.example"), authority.issue("second.example", "other.example"),
                 authority.issue("*.wild.example", rsa=True)]
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "listeners": [
            {"address": f"127.0.0.1:{free_port()}",
             "tls": {"certificates": [{"certificate": crt, "private_key": key} for crt, key in pairs]}}]})
        context = trusting(authority.certificate)
        for name, subject in (("first.example", "first.example"), ("other.example", "second.example"),
                              ("SECOND.example", "second.example"), ("a.wild.example", "*.wild.example")):
            with self.subTest(name), Connection(proxy.https, context, server_name=name) as connection:
                self.assertEqual(dict(field[0] for field in connection.socket.getpeercert()["subject"])["commonName"], subject)
                self.assertEqual(connection.fetch("GET", "/").status, 200)
        context.check_hostname = False
        for name in ("unknown.example", None):
            plain = socket.create_connection(proxy.https)
            with context.wrap_socket(plain, server_hostname=name) as connection:
                self.assertIn((("commonName", "first.example"),), connection.getpeercert()["subject"])


class Redirect(EndToEnd):
    def test_plain_http_is_sent_to_https_with_its_path_and_query(self):
        plain, tls = free_port(), free_port()
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "listeners": [
            {"address": f"127.0.0.1:{tls}", "tls": {"self_signed": True}},
            {"address": f"127.0.0.1:{plain}", "redirect_to_https": True}]})
        # A client that names a port reaches the ports as they are here; one that does not, comes by the default ones.
        for host, secure in ((f"shop.example:{plain}", f"shop.example:{tls}"), ("shop.example", "shop.example")):
            for method in ("GET", "POST"):
                response = fetch(proxy.http, "/a%20b/c?x=1&y=%2F", method, [("Host", host)], b"body")
                self.assertEqual((response.status, response.header("Location")),
                                 (308, f"https://{secure}/a%20b/c?x=1&y=%2F"))
        wait_until(lambda: len(proxy.records(gatehouse_decided_by="sidecar")) == 4, "all are recorded")


class Strangers(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.app = cls.start_shared(Uvicorn())
        cls.proxy = cls.start_shared(Gatehouse({"upstream": cls.app.url, "timeouts": {"tls_handshake": "1s"}}, tls=True))

    def test_plain_http_on_the_tls_port_gets_a_clear_400(self):
        with Connection(self.proxy.https) as connection:
            response = connection.fetch("GET", "/")
            self.assertEqual(response.status, 400)
            self.assertIn(b"https", response.body.lower())

    def test_tls_on_the_plain_port_is_ended(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Connection(self.proxy.http, trusting())
        self.assertEqual(self.proxy.fetch("GET", "/").status, 200)

    def test_noise_and_silence_on_the_tls_port_are_ended(self):
        for noise in (b"\x16\x03\x01\xff\xff" + b"\0" * 1000, b"\0" * 1000, b"\x80\x2e\x01\x03\x01", b"\x16", b""):
            with self.subTest(noise[:5]), Connection(self.proxy.https) as connection:
                connection.send(noise)
                try:
                    connection.until_closed()  # ends; before that an alert may come
                except ConnectionResetError:
                    pass
        self.assertEqual(fetch(self.proxy.https, "/", tls=trusting()).status, 200)
