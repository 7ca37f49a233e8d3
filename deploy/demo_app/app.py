"""A small shop API, as one finds them before production: no TLS, no limits, no security headers, and a log line too many."""
import itertools
import logging
import secrets

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("shop")
app = FastAPI(title="Shop")


class Item(BaseModel):
    name: str
    price: float


class Login(BaseModel):
    user: str
    password: str


ids = itertools.count(1)
items = {next(ids): Item(name="teapot", price=18.5), next(ids): Item(name="cup", price=4.2)}


@app.get("/items")
def list_items():
    return [{"id": number, **item.dict()} for number, item in items.items()]


@app.get("/items/{number}")
def one_item(number: int):
    if number not in items:
        raise HTTPException(404, "there is no such item")
    return {"id": number, **items[number].dict()}


@app.post("/items", status_code=201)
def add_item(item: Item):
    number = next(ids)
    items[number] = item
    return {"id": number, **item.dict()}


@app.post("/login")
def login(credentials: Login):
    log.info("login attempt user=%s password=%s", credentials.user, credentials.password)  # the accident
    return {"user": credentials.user, "token": secrets.token_urlsafe(24)}


@app.get("/crash")
def crash():
    raise RuntimeError("a bug")
