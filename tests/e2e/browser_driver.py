"""A real browser: headless Chromium, driven over the W3C WebDriver protocol that chromedriver speaks."""
import base64
import hashlib
import http.client
import http.server
import json
import shutil
import ssl
import subprocess
import tempfile
import threading

from support.ports import free_port
from support.process import Process

_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          # Every host name leads here; nothing else of the browser is changed.
          "--host-resolver-rules=MAP * 127.0.0.1", "--short-reporting-delay"]


def key_hash(certificate):
    """What Chromium calls the public key of a certificate: the base64 of its SHA-256."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], capture_output=True, check=True).stdout
    raw = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, capture_output=True, check=True).stdout
    return base64.b64encode(hashlib.sha256(raw).digest()).decode()


class Browser(Process):
    """Chromium with an empty profile of its own. Takes `certificate` for any name, as if an authority had issued it: what
    comes over a doubtful one is not cached."""

    def __init__(self, certificate):
        port = free_port()
        self._flags = [*_FLAGS, f"--ignore-certificate-errors-spki-list={key_hash(certificate)}"]
        super().__init__(["chromedriver", f"--port={port}"])
        self._address = ("127.0.0.1", port)
        self._session = None
        self.wait_until_it_listens(self._address)

    def __enter__(self):
        self._profile = tempfile.mkdtemp(prefix="gatehouse-browser-")
        try:
            self._session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "timeouts": {"script": 60000, "pageLoad": 60000},
                "goog:loggingPrefs": {"browser": "ALL"},
                "goog:chromeOptions": {"binary": "/usr/bin/chromium",
                                       # No connections in case they might be used: they would keep what ends waiting.
                                       "prefs": {"net.network_prediction_options": 2},
                                       "args": [*self._flags, f"--user-data-dir={self._profile}"]}}}})["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        if self._session:
            self._ask("DELETE", f"/session/{self._session}")
        super().__exit__(*error)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{value['error']}: {value['message']}")
        return value

    def _command(self, method, path, body=None):
        return self._ask(method, f"/session/{self._session}{path}", body)

    def open(self, url):
        self._command("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """What `script`, the body of an async function, returns in the page that is open."""
        body = ("const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
                f"(async (...args) => {{ {script} }})(...given).then(v => done(v), e => done('threw ' + e));")
        return self._command("POST", "/execute/async", {"script": body, "args": list(arguments)})

    def chrome(self, command, **parameters):
        """A command of the DevTools protocol."""
        return self._command("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def press(self, key):
        """A key, as WebDriver writes it: "\ue004" is Tab, "\ue007" Enter."""
        self._command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})

    def picture(self):
        """The whole page as PNG."""
        whole = self.chrome("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(whole["data"])

    def text(self):
        """The text of the page that is open."""
        return self.run("return document.body ? document.body.innerText : ''")

    def text_of_frame(self):
        """The text of the first frame in it."""
        self._command("POST", "/frame", {"id": 0})
        text = self.text()
        self._command("POST", "/frame", {"id": None})
        return text

    def cookies(self):
        """What the browser keeps for the page that is open: {name: cookie}."""
        return {cookie["name"]: cookie for cookie in self._command("GET", "/cookie")}

    def forget_cookies(self):
        self._command("DELETE", "/cookie")

    def console(self):
        """What the developer saw in the console since the last call."""
        return "\n".join(entry["message"] for entry in self._command("POST", "/se/log", {"type": "browser"}))

    def fetch(self, url, **options):
        """What a script of the page that is open gets from fetch(): a dict, or "refused" where the browser tells it
        nothing, which is all that a page ever learns of a CORS error."""
        return self.run(FETCH + "return await ask(args[0], args[1])", url, options)

    def fetch_from_sandbox(self, url, **options):
        """The same from a sandboxed frame, whose origin is null."""
        return self.run("""
            const frame = document.createElement('iframe');
            frame.sandbox = 'allow-scripts';
            const answer = new Promise(resolve => addEventListener('message', event => resolve(event.data), {once: true}));
            frame.srcdoc = '<script>' + args[2] + 'ask(' + JSON.stringify(args[0]) + ',' + JSON.stringify(args[1]) +
                ').then(answer => parent.postMessage(answer, "*"))</scr' + 'ipt>';
            document.body.append(frame);
            const result = await answer;
            frame.remove();
            return result;""", url, options, FETCH)


FETCH = """
    async function ask(url, options) {
        try {
            const response = await fetch(url, options);
            return {status: response.status, type: response.type, body: await response.text(),
                    headers: Object.fromEntries(response.headers)};
        } catch (error) {
            return 'refused';
        }
    }
"""


class Pages:
    """A web server with empty pages for every host name, over TLS: where the pages of other origins come from."""

    def __init__(self, certificate):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = b"<!doctype html><title>a page</title><body>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.port = free_port()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Page)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake happens in the connection's own thread: a connection that says nothing holds nobody up.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def origin(self, host):
        return f"https://{host}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
