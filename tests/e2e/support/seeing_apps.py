"""Five real HTTP servers that write down each whole request they saw: what they make of the bytes that reach them is theirs.
nginx also serves /long, 4 MiB."""
import json
import os
import tempfile

from .apps import PYTHON, App
from .ports import free_port

_NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 4096; }}
http {{
  log_format seen escape=json '{{"method":"$request_method","target":"$request_uri","status":"$status",'
                              '"client":"$http_x_forwarded_for","text":"$request_body"}}';
  client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxied; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_body_buffer_size 1m; client_body_in_single_buffer on; client_max_body_size 0; large_client_header_buffers 8 64k;
  server {{
    listen 127.0.0.1:{port};
    access_log {seen} seen;
    # What is passed on is read to its end before, and can be written down.
    location / {{ proxy_pass http://unix:{folder}/behind; }}
    location = /long {{ root {folder}; access_log off; }}
  }}
  server {{ listen unix:{folder}/behind; access_log off; location / {{ return 200 seen; }} }}
}}
"""


class SeeingApp(App):
    """`kind`: one of KINDS. `seen()` is what it wrote down so far: (client, method, target, body)."""

    KINDS = ("uvicorn_h11", "uvicorn_httptools", "gunicorn", "node", "nginx")

    def __init__(self, kind):
        port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-seen-")
        self._seen = os.path.join(self._folder.name, "seen.jsonl")
        open(self._seen, "w").close()
        super().__init__(self._command(kind, port), ("127.0.0.1", port), env={"SEEN": self._seen})

    def _command(self, kind, port):
        if kind == "node":
            return ["nodejs" if os.path.exists("/usr/bin/nodejs") else "node", "seen.js", port, self._seen]
        if kind == "gunicorn":
            return [PYTHON, "-m", "gunicorn", "seen:wsgi", "-k", "gthread", "--threads", "16", "--keep-alive", "60",
                    "-b", f"127.0.0.1:{port}", "--log-level", "critical"]
        if kind == "nginx":
            settings = os.path.join(self._folder.name, "nginx.conf")
            with open(settings, "w") as file:
                file.write(_NGINX.format(folder=self._folder.name, port=port, seen=self._seen))
            with open(os.path.join(self._folder.name, "long"), "wb") as file:
                file.truncate(4 << 20)
            os.chmod(self._folder.name, 0o755)
            return ["/usr/sbin/nginx", "-c", settings, "-p", self._folder.name]
        return [PYTHON, "-m", "uvicorn", "seen:asgi", "--http", kind.removeprefix("uvicorn_"), "--ws", "none", "--lifespan", "off",
                "--timeout-keep-alive", "60", "--log-level", "critical", "--host", "127.0.0.1", "--port", port]

    def seen(self):
        with open(self._seen, encoding="latin-1") as file:
            return [entry for entry in map(_entry, file) if entry]

    def __exit__(self, *exits):
        super().__exit__(*exits)
        self._folder.cleanup()


def _entry(line):
    found = json.loads(line)
    if found.get("status", "200") != "200":
        return None  # nginx's own refusal: nothing behind it saw the request
    body = bytes.fromhex(found["body"]) if "body" in found else found["text"].encode("latin-1")
    return found["client"], found["method"], found["target"], body
