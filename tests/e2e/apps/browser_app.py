"""An app that knows little of browsers: its own CORS is wrong, its cookies have no flags, and it lets anybody in."""
import asyncio

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse

app = FastAPI()
seen = []


@app.middleware("http")
async def wrong_cors(request: Request, call_next):
    seen.append(f"{request.method} {request.url.path}")
    response = await call_next(request)
    if request.url.path.startswith("/own-cors"):
        # What a framework's default does: a wildcard, which no browser takes together with cookies.
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Credentials"] = "true"
    return response


@app.get("/seen")
def what_was_seen():
    return seen


@app.api_route("/items", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
@app.api_route("/items/{rest:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
@app.api_route("/own-cors", methods=["GET", "PUT"])
async def items(request: Request):
    body = await request.body()
    return JSONResponse({"method": request.method, "cookie": request.headers.get("cookie"), "bytes": len(body)},
                        headers={"X-Total": "7"})


@app.get("/status/{code}")
def status(code: int):
    return JSONResponse({"detail": "from the app"}, status_code=code)


@app.get("/cached")
def cached():
    dot = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    return Response(dot, media_type="image/gif", headers={"Cache-Control": "max-age=3600"})


@app.get("/log-in")
def log_in():
    response = HTMLResponse("<!doctype html><title>logged in</title>")
    response.headers.append("Set-Cookie", "sid=abc; Path=/; Expires=Wed, 01 Jan 2098 00:00:00 GMT")
    response.headers.append("Set-Cookie", "__Host-id=1; Path=/")
    response.headers.append("Set-Cookie", "csrftoken=xyz; Path=/")
    response.headers.append("Set-Cookie", "embed_widget=1; Path=/; SameSite=None")
    response.headers.append("Set-Cookie", "chosen=1; Path=/; SameSite=Strict; Secure; HttpOnly")
    return response


@app.get("/page")
def page():
    return HTMLResponse("<!doctype html><title>page</title><body><script>document.title = 'the script ran'</script>")


@app.post("/form")
async def form(request: Request):
    await request.body()
    return Response("the form was taken, cookies: " + request.headers.get("cookie", "none"), media_type="text/plain")


@app.websocket("/ws")
async def websocket(socket: WebSocket):
    await socket.accept()
    await socket.send_text("hello")
    await asyncio.sleep(0)
    await socket.close()
