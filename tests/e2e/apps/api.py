"""A FastAPI app that tells what reached it. Nothing in it knows of Gatehouse."""
import asyncio
import hashlib
import itertools
import time

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.websockets import WebSocketDisconnect

api = FastAPI()
counts = {}
connections = set()
held = {}
at_work = {"now": 0, "most": 0}
cancelled = []


@api.get("/")
def root():
    return {"hello": "world"}


@api.api_route("/echo", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@api.api_route("/echo/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def echo(request: Request):
    body = await request.body()
    return {
        "method": request.method,
        "path": request.scope["raw_path"].decode("latin-1"),
        "query": request.scope["query_string"].decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw],
        "body_size": len(body),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }


@api.get("/connections")
def connection_count():
    return {"connections": len(connections)}


@api.post("/count/{key}")
async def count_up(key: str, request: Request):
    await request.body()
    counts[key] = counts.get(key, 0) + 1
    return {"count": counts[key]}


@api.get("/counts")
def all_counts():
    return counts


@api.get("/status/{code}")
def status(code: int):
    return Response(status_code=code, headers={"ETag": '"v1"'} if code == 304 else {})


@api.api_route("/document", methods=["GET", "HEAD"])
def document():
    return Response(b"x" * 1000, media_type="text/plain", headers={"X-Document": "yes"})


@api.get("/cookies")
def cookies():
    response = JSONResponse({})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@api.get("/slow")
async def slow(seconds: float, request: Request):
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        cancelled.append("slow")
        raise
    return {"slept": seconds}


@api.get("/held/{name}")
async def hold(name: str):
    """Answers when somebody asks for /release/{name}."""
    counts[f"held_{name}"] = counts.get(f"held_{name}", 0) + 1
    at_work["now"] += 1
    at_work["most"] = max(at_work["most"], at_work["now"])
    try:
        await held.setdefault(name, asyncio.Event()).wait()
    finally:
        at_work["now"] -= 1
    return {"held": name}


@api.get("/release/{name}")
async def release(name: str):
    held.setdefault(name, asyncio.Event()).set()
    return at_work


@api.get("/stream")
async def stream(parts: int = 10, size: int = 1000):
    return StreamingResponse((b"%d" % (i % 10) * size for i in range(parts)), media_type="text/plain")


@api.get("/events")
async def events(count: int = 0, interval: float = 0.1):
    """Server-sent events, each with the time at which it was sent."""
    async def source():
        for number in itertools.count() if count == 0 else range(count):
            yield f"id: {number}\ndata: {time.time():.6f}\n\n"
            await asyncio.sleep(interval)
    return StreamingResponse(source(), media_type="text/event-stream")


@api.post("/login")
async def login(request: Request):
    await request.body()
    return {"token": "secret-token-of-the-app"}


@api.websocket("/ws")
async def websocket(socket: WebSocket):
    """Echoes; the text `close CODE REASON` closes from this side."""
    await socket.accept(subprotocol=next(iter(socket.scope["subprotocols"]), None))
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                counts[f"websocket_close_{message['code']}"] = 1
                return
            text = message.get("text")
            if text and text.startswith("close "):
                _, code, reason = text.split(" ", 2)
                await socket.close(int(code), reason)
                return
            if text is not None:
                await socket.send_text(text)
            else:
                await socket.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        pass


async def app(scope, receive, send):
    if scope["type"] == "http" and scope.get("client"):
        connections.add(tuple(scope["client"]))
    await api(scope, receive, send)
