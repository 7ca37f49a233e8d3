"""Requests that no configured route matches are counted by the templates of the app's own OpenAPI document: a real FastAPI's."""
import json

from support.apps import ScriptedUpstream, Uvicorn
from support.case import EndToEnd
from support.waiting import wait_until


class OpenApi(EndToEnd):
    def count(self, proxy, route):
        return proxy.metric("http_server_request_duration_seconds_count", http_route=route)

    def wait_for_counts(self, proxy, **counts):
        """A request is counted once its answer has been sent, so perhaps after the client has it."""
        wanted = dict(counts)
        wait_until(lambda: {route: self.count(proxy, route) for route in wanted} == wanted, f"{wanted} are counted")

    def wait_for_templates(self, proxy):
        wait_until(lambda: proxy.metric("gatehouse_openapi_templates") > 0, "the document was read")

    def test_a_fastapi_apps_paths_become_labels_and_routes_in_records(self):
        proxy = self.gatehouse({"upstream": self.start(Uvicorn()).url, "openapi": "/openapi.json",
                                "routes": [{"match": {"path": "/counts"}}]})
        self.wait_for_templates(proxy)
        for path in ("/status/404", "/status/204", "/counts", "/connections", "/no/such/path", "/status/1/2"):
            proxy.fetch("GET", path)
        self.wait_for_counts(proxy, **{"/status/{code}": 2, "/counts": 1, "/connections": 1, "unmatched": 2})
        self.assertEqual(proxy.record(http_response_status_code=204)["http.route"], "/status/{code}")
        self.assertNotIn("/no/such/path", "".join(proxy.metrics()))

    def test_an_app_that_comes_later_is_asked_again(self):
        documents = []

        def play(connection):
            while True:
                request = connection.read_request()
                if request.target == "/openapi.json" and not documents:
                    connection.reply(b"not yet", status="404 Not Found")
                elif request.target == "/openapi.json":
                    connection.reply(documents[-1])
                else:
                    connection.reply(b"ok")
        app = self.start(ScriptedUpstream(play))
        proxy = self.gatehouse({"upstream": app.url, "openapi": {"url": "/openapi.json", "interval": "200ms"}})
        wait_until(lambda: any("answered 404" in line for line in proxy.stdout), "that there is none is logged")
        proxy.fetch("GET", "/a/1")
        self.wait_for_counts(proxy, unmatched=1)
        documents.append(json.dumps({"paths": {"/a/{x}": {}}}).encode())
        self.wait_for_templates(proxy)
        proxy.fetch("GET", "/a/2")
        self.wait_for_counts(proxy, **{"/a/{x}": 1})
        documents.append(json.dumps({"paths": {"/a/{y}": {}, "/b": {}}}).encode())  # deployed anew
        wait_until(lambda: proxy.metric("gatehouse_openapi_templates") == 2, "the new one was read")
        proxy.fetch("GET", "/a/3")
        self.wait_for_counts(proxy, **{"/a/{x}": 1, "/a/{y}": 1})

    def test_a_document_that_is_none_or_too_large_or_too_deep_changes_nothing(self):
        for body in (b"<html>", b"[" * 100000, b'{"paths": 3}', b'{"paths": {"/x": "' + b"x" * (5 << 20) + b'"}}'):
            def play(connection):
                while True:
                    connection.reply(body if connection.read_request().target == "/openapi.json" else b"ok")
            proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url, "openapi": "/openapi.json"})
            wait_until(lambda: any("OpenAPI document of the app" in line for line in proxy.stdout), "it is logged")
            self.assertEqual(proxy.metric("gatehouse_openapi_templates"), 0)
            self.assertEqual(proxy.fetch("GET", "/x").status, 200)
            self.wait_for_counts(proxy, unmatched=1)

    def test_no_more_templates_are_taken_than_allowed(self):
        document = json.dumps({"paths": {f"/p{i}": {} for i in range(100)}}).encode()

        def play(connection):
            while True:
                connection.reply(document if connection.read_request().target == "/openapi.json" else b"ok")
        proxy = self.gatehouse({"upstream": self.start(ScriptedUpstream(play)).url, "openapi": {"url": "/openapi.json", "max_templates": 10}})
        self.wait_for_templates(proxy)
        self.assertEqual(proxy.metric("gatehouse_openapi_templates"), 10)
        for i in range(100):
            proxy.fetch("GET", f"/p{i}")
        self.wait_for_counts(proxy, unmatched=90)
