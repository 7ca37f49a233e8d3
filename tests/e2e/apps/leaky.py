"""A FastAPI app that logs secrets in every way that apps do by accident. Nothing in it knows of Gatehouse."""
import asyncio
import atexit
import json
import logging
import os
import sys
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from pydantic import BaseModel

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
log = logging.getLogger("leaky")
api = FastAPI()


class Login(BaseModel):
    username: str
    password: str


@api.get("/")
def root():
    return {"hello": "world"}


@api.get("/slow")
async def slow():
    print("slow began", flush=True)
    await asyncio.sleep(1.5)
    return {"slow": True}


@api.post("/login")
async def login(request: Request):
    body = await request.body()
    if request.headers["content-type"] == "application/json":
        credentials = Login(**json.loads(body))
    else:
        credentials = Login(**dict(parse_qsl(body.decode())))
    print("login", credentials)
    print("login", credentials.dict(), flush=True)
    print(f"user={credentials.username} password={credentials.password} remember=yes")
    print(json.dumps({"event": "login", "level": "info", "user": credentials.username, "nested": {"userPassword": credentials.password}}))
    print(json.dumps({"event": "raw", "body": body.decode()}), flush=True)
    log.info("login of %s with password '%s'", credentials.username, credentials.password)
    log.debug("body %r", body)
    log.debug("headers %s", dict(request.headers))
    log.warning("headers %s", json.dumps(dict(request.headers), indent=2))
    sys.stderr.write(f"password: {credentials.password}\n")
    return {"ok": True}


@api.get("/search")
def search(request: Request):
    log.info("asked for %s", request.url)
    return {"ok": True}


@api.get("/boom")
def boom(request: Request):
    password = request.query_params["password"]
    try:
        raise ConnectionError(f"cannot connect to postgresql://app:{password}@db.internal:5432/app")
    except ConnectionError as error:
        raise RuntimeError(f"login failed: password={password!r}") from error


@atexit.register
def last_words():
    os.write(1, b"last words without a line break, token=" + os.environ["LEAKY_TOKEN"].encode())
