"""A back end that signs its users in to CometChat: it alone holds the REST API key."""

import os
import ssl
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI()
trust = ssl.create_default_context()  # read once, for it takes longer than a request


class Person(BaseModel):
    """Who signs in; a real app takes it from its own session."""

    uid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]


async def comet_chat() -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of CometChat's REST API, led by the environment."""
    async with httpx.AsyncClient(
        base_url=os.environ["COMETCHAT_API"],
        headers={"apikey": os.environ["COMETCHAT_REST_API_KEY"]},
        timeout=float(os.environ.get("COMETCHAT_TIMEOUT", "5")),
        verify=trust,
    ) as client:
        yield client


CometChat = Annotated[httpx.AsyncClient, Depends(comet_chat)]


@app.post("/session")
async def sign_in(person: Person, chat: CometChat) -> dict[str, str]:
    """Answer an auth token for the chat SDK; the user is created at the first sign-in."""
    await ask(chat, "/users", person.model_dump(), fine="ERR_UID_ALREADY_EXISTS")
    token = await ask(chat, f"/users/{person.uid}/auth_tokens", {})
    return {"uid": token["uid"], "authToken": token["authToken"]}


async def ask(chat: httpx.AsyncClient, path: str, body: dict[str, Any], fine: str = "") -> Any:
    """Return the data that CometChat answers, None for the refusal that is fine."""
    try:
        answer = (await chat.post(path, json=body)).json()
    except httpx.TimeoutException as error:
        raise HTTPException(502, "CometChat did not answer in time") from error
    except httpx.TransportError as error:
        raise HTTPException(502, "The line to CometChat broke") from error
    except ValueError as error:
        raise HTTPException(502, "CometChat answered what is no JSON") from error
    refusal = answer.get("error")
    if refusal and refusal["code"] != fine:
        raise HTTPException(502, f"CometChat refused: {refusal['code']}")
    return answer.get("data")
