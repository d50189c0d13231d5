"""The action server: Rasa SDK's executor behind a door that checks who is there.

Rasa SDK's own server answers a failure with the whole tracker in the body and lets anybody in;
this one answers with a reference number only, and wants the internal token.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import zlib

from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from actions import resources
from casework.knowledge_search import search_of
from casework.settings import Settings

logger = logging.getLogger(__name__)


def create_server(settings: Settings) -> Sanic:
    """The Sanic application with every action of the package registered."""
    app = Sanic("niangjia_actions", configure_logging=False)
    executor = ActionExecutor()
    executor.register_package("actions")
    expected = f"Bearer {settings.internal_token}"

    @app.listener("before_server_start")
    async def open_house(_app: Sanic, _loop: object) -> None:
        house = resources.Resources.open(settings)
        # Now, or the first member who is not understood waits for it.
        search_of(house.knowledge, settings.home / "data" / "knowledge")
        resources.use(house)

    @app.listener("after_server_stop")
    async def close_house(_app: Sanic, _loop: object) -> None:
        await resources.current().database.close()

    @app.get("/health")
    async def health(_request: Request) -> HTTPResponse:
        return json_response({"status": "ok"})

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        given = request.headers.get("Authorization", "")
        if not settings.internal_token or not hmac.compare_digest(given.encode(), expected.encode()):
            return json_response({"error": "not authorised"}, status=401)
        try:
            body = request.body
            if request.headers.get("Content-Encoding") == "deflate":
                body = zlib.decompress(body)
            call = json.loads(body)
            if not isinstance(call, dict):
                raise TypeError("an action call is a JSON object")
        except (ValueError, TypeError, zlib.error):
            return json_response({"error": "the body is not an action call"}, status=400)
        name = str(call.get("next_action"))
        try:
            return json_response(await executor.run(call))
        except ActionExecutionRejection as rejection:
            return json_response(
                {"error": rejection.message, "action_name": rejection.action_name}, status=400
            )
        except ActionNotFoundException:
            return json_response({"error": "no such action", "action_name": name}, status=404)
        except Exception as error:
            reference = secrets.token_hex(4).upper()
            logger.error(
                "action call %s failed, reference %s: %s",
                name,
                reference,
                type(error).__name__,
                exc_info=error,
            )
            return json_response({"error": "internal error", "reference": reference}, status=500)

    return app
