"""An app that writes down each request whose body it got to its end, a line of JSON in the file $SEEN: as ASGI and as WSGI."""
import json
import os


def note(method, target, client, body):
    line = json.dumps({"method": method, "target": target, "client": client, "body": body.hex()})
    with open(os.environ["SEEN"], "a") as file:
        file.write(line + "\n")


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return  # it broke off
        body += message.get("body", b"")
        more = message.get("more_body", False)
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    clients = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    note(scope["method"], target.decode("latin-1"), b", ".join(clients).decode("latin-1"), body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"seen"})


def wsgi(environ, start_response):
    body = environ["wsgi.input"].read()
    # WSGI does not tell an end from a break: a body that is shorter than was promised is no whole one.
    if len(body) == int(environ.get("CONTENT_LENGTH") or len(body)):
        note(environ["REQUEST_METHOD"], environ["RAW_URI"], environ.get("HTTP_X_FORWARDED_FOR", ""), body)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"seen"]
