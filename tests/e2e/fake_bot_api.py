"""A local server that speaks the Bot API: real HTTP, members to be played, failures to be scripted.

    with FakeBotApi() as api:
        start_the_bot(TELEGRAM_API_BASE=api.base_url, TELEGRAM_TOKEN=api.token)
        zhang = api.member(700001)
        zhang.says("老板拖欠工资")
        reply = api.wait_for("sendMessage", chat_id=zhang.chat_id)

It runs in a thread of its own, so that synchronous tests, asynchronous ones and a bot in another process
can use it alike. It refuses what Telegram refuses (texts over 4096 UTF-16 units, callback data over 64
bytes, wrong tokens, a second poller), so that a test against it means something.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bot.telegram import updates as build
from tests.e2e.fake_bot_wire import Broken, Call, Failure, Json, Refused, chat_of, check_markup, read_params
from tests.e2e.fake_telegram_member import FakeMember

TOKEN = "7000000001:AAE2e-test-token_0123456789abcdefgh"
BOT = {"id": 7000000001, "is_bot": True, "first_name": "娘家人", "username": "niangjia_test_bot"}
BOT |= {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
MAX_TEXT_UNITS = 4096
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024


class FakeBotApi:
    """The server; a context manager."""

    def __init__(
        self, token: str = TOKEN, *, local_dir: Path | None = None, first_update_id: int = 100_001
    ) -> None:
        """``local_dir`` makes it a server in local mode: files are given by their path there."""
        self.token = token
        self.calls: list[Call] = []
        self.commands: list[Json] = []
        self.webhook: Json = {"url": ""}
        self.webhook_target: str | None = None
        """Where to post updates really (Telegram wants https, a test has http)."""
        self.webhook_statuses: list[int] = []
        self._local_dir = local_dir
        self._next_update_id = first_update_id
        self._updates: deque[Json] = deque()
        self._messages: dict[tuple[int, int], Json] = {}
        self._files: dict[str, bytes] = {}
        self._queries: set[str] = set()
        self._known: set[int] = set()
        self._blocked: set[int] = set()
        self._failures: list[Failure] = []
        self._polls = 0
        self._changed = threading.Condition(threading.RLock())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None

        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = Starlette(
            routes=[
                Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._download),
            ]
        )
        config = uvicorn.Config(
            app, lifespan="off", ws="none", log_config=None, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="fake bot api", daemon=True)

    def __enter__(self) -> FakeBotApi:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the fake Bot API did not start"
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._wake()
        self._thread.join(timeout=10)
        self._socket.close()
        assert not self._thread.is_alive(), "the fake Bot API did not stop"

    # What a test does and sees.

    def member(self, chat_id: int = 700_001, name: str = "建国") -> FakeMember:
        """Somebody who uses Telegram; the bot may write to them once they wrote to it."""
        return FakeMember(self, chat_id, name)

    def push(self, update: Json, update_id: int | None = None) -> int:
        """Let Telegram bring an update; returns its id."""
        with self._changed:
            if update_id is None:
                update_id, self._next_update_id = self._next_update_id, self._next_update_id + 1
            self._updates.append({"update_id": update_id} | update)
            if (chat := chat_of(update)) is not None:
                self._known.add(chat)
        self._wake()
        return update_id

    def add_file(self, content: bytes) -> str:
        """Keep a file as if a member had sent it; returns its file_id."""
        file_id = f"file{len(self._files) + 1}"
        self._files[file_id] = content
        return file_id

    def fail(
        self,
        method: str,
        status: int | None = 500,
        description: str = "Internal Server Error",
        *,
        times: int = 1,
        chat_id: int | None = None,
        **parameters: Any,
    ) -> None:
        """Let the next matching calls fail."""
        with self._changed:
            self._failures.append(Failure(method, status, description, parameters, chat_id, times))

    def too_many_requests(self, method: str, retry_after: int, **which: Any) -> None:
        """Let the next matching calls meet the flood limit."""
        text = f"Too Many Requests: retry after {retry_after}"
        self.fail(method, 429, text, retry_after=retry_after, **which)

    def drop_connection(self, method: str, **which: Any) -> None:
        """Let the next matching calls take effect without the bot learning of it."""
        self.fail(method, None, "connection dropped", **which)

    def made(self, method: str, chat_id: int | None = None, *, any_outcome: bool = False) -> list[Call]:
        """The calls of one method so far that took effect, oldest first."""
        with self._changed:
            return [
                call
                for call in self.calls
                if call.method == method
                and (chat_id is None or call.chat_id == chat_id)
                and (any_outcome or call.outcome in ("ok", "dropped"))
            ]

    def texts(self, chat_id: int | None = None) -> list[str]:
        """What the bot has said."""
        return [call.text for call in self.made("sendMessage", chat_id)]

    def wait_for(
        self,
        method: str,
        chat_id: int | None = None,
        *,
        count: int = 1,
        containing: str = "",
        timeout_s: float = 15,
        any_outcome: bool = False,
    ) -> Call:
        """Wait for the ``count``-th matching call and return it; fails the test when it does not come."""

        def found() -> Call | None:
            made = self.made(method, chat_id, any_outcome=any_outcome)
            matching = [call for call in made if containing in call.text]
            return matching[count - 1] if len(matching) >= count else None

        with self._changed:
            self._changed.wait_for(lambda: found() is not None, timeout=timeout_s)
            call = found()
        assert call is not None, (
            f"no {method} (number {count}) came; calls: {[call.method for call in self.calls]}"
        )
        return call

    async def until(self, method: str, chat_id: int | None = None, **which: Any) -> Call:
        """``wait_for`` for asynchronous tests."""
        return await asyncio.to_thread(self.wait_for, method, chat_id, **which)

    def unconfirmed(self) -> list[int]:
        """The updates Telegram still keeps for the bot."""
        with self._changed:
            return [update["update_id"] for update in self._updates]

    def shown_buttons(self, call: Call) -> list[Json]:
        """The buttons a message shows now (after edits)."""
        stored = self._messages[call.result["chat"]["id"], call.result["message_id"]]
        return [button for row in stored.get("reply_markup", {}).get("inline_keyboard", []) for button in row]

    # The server.

    def _serve(self) -> None:
        async def serve() -> None:
            self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
            posting = asyncio.create_task(self._post_updates())
            await self._server.serve(sockets=[self._socket])
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)

        asyncio.run(serve())

    def _wake(self) -> None:
        if self._loop is not None and self._news is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        params, files = await read_params(request)
        call = Call(method, params, files, time.monotonic())
        try:
            if request.path_params["token"] != self.token:
                raise Refused(401, "Unauthorized")
            failure = self._failure_for(call)
            if failure is not None and failure.status is not None:
                raise Refused(failure.status, failure.description, **failure.parameters)
            deed: Callable[[Call], Awaitable[Any]] | None = getattr(self, f"_do_{method.lower()}", None)
            if deed is None:
                raise Refused(404, "Not Found")
            call.result = await deed(call)
            if failure is not None:
                call.outcome = "dropped"
                return Broken()
            return JSONResponse({"ok": True, "result": call.result})
        except Refused as refusal:
            call.outcome = str(refusal.status)
            body: Json = {"ok": False, "error_code": refusal.status, "description": refusal.description}
            if refusal.parameters:
                body["parameters"] = refusal.parameters
            return JSONResponse(body, status_code=refusal.status)
        finally:
            with self._changed:
                self.calls.append(call)
                self._changed.notify_all()

    def _failure_for(self, call: Call) -> Failure | None:
        with self._changed:
            for failure in self._failures:
                if failure.method == call.method and failure.chat_id in (None, call.chat_id):
                    failure.times -= 1
                    if failure.times <= 0:
                        self._failures.remove(failure)
                    return failure
        return None

    async def _download(self, request: Request) -> Response:
        name = request.path_params["path"].rpartition("/")[2]
        call = Call("download", {"path": request.path_params["path"]}, at=time.monotonic())
        failure = self._failure_for(call)
        found = request.path_params["token"] == self.token and name in self._files
        call.outcome = "dropped" if failure else "ok" if found else "404"
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
        if failure is not None:
            return Response(status_code=failure.status) if failure.status else Broken()
        return Response(self._files[name]) if found else Response(status_code=404)

    async def _do_getme(self, call: Call) -> Json:
        return dict(BOT)

    async def _do_getupdates(self, call: Call) -> list[Json]:
        if self.webhook["url"]:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self._polls += 1
        mine = self._polls
        self._wake()  # an older poll ends now
        offset, limit = call.params.get("offset", 0), call.params.get("limit", 100)
        deadline = time.monotonic() + call.params.get("timeout", 0)
        assert self._news is not None
        while True:
            self._news.clear()
            with self._changed:
                while self._updates and self._updates[0]["update_id"] < offset:
                    self._updates.popleft()
                ready = list(self._updates)[:limit]
            if ready or self._server.should_exit or time.monotonic() >= deadline:
                return ready
            if mine != self._polls:
                raise Refused(409, "Conflict: terminated by other getUpdates request")
            try:
                async with asyncio.timeout(min(deadline - time.monotonic(), 0.5)):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _do_setwebhook(self, call: Call) -> bool:
        if not str(call.params.get("url", "")).startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = dict(call.params)
        self._wake()
        return True

    async def _do_deletewebhook(self, call: Call) -> bool:
        self.webhook = {"url": ""}
        if call.params.get("drop_pending_updates") == "true":
            self._updates.clear()
        return True

    async def _do_setmycommands(self, call: Call) -> bool:
        self.commands = call.params["commands"]
        return True

    async def _do_sendmessage(self, call: Call) -> Json:
        units = len(call.text.encode("utf-16-le")) // 2
        if not call.text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if units > MAX_TEXT_UNITS:
            raise Refused(400, "Bad Request: message is too long")
        return self._say(call, text=call.text)

    async def _do_sendphoto(self, call: Call) -> Json:
        return self._say(call, photo=[], caption=call.params.get("caption", ""))

    async def _do_senddocument(self, call: Call) -> Json:
        return self._say(call, caption=call.params.get("caption", ""))

    async def _do_sendchataction(self, call: Call) -> bool:
        self._check_chat(call)
        if call.params.get("action") not in ("typing", "upload_photo", "upload_document"):
            raise Refused(400, "Bad Request: wrong parameter action in request")
        return True

    async def _do_answercallbackquery(self, call: Call) -> bool:
        query = str(call.params.get("callback_query_id"))
        if query not in self._queries:
            raise Refused(
                400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
        self._queries.discard(query)
        return True

    async def _do_editmessagereplymarkup(self, call: Call) -> Json:
        stored = self._messages.get((call.params.get("chat_id", 0), call.params.get("message_id", 0)))
        if stored is None:
            raise Refused(400, "Bad Request: message to edit not found")
        markup = call.params.get("reply_markup")
        if stored.get("reply_markup") == markup:
            raise Refused(400, "Bad Request: message is not modified")
        check_markup(markup)
        stored.pop("reply_markup", None)
        if markup:
            stored["reply_markup"] = markup
        return stored

    async def _do_leavechat(self, call: Call) -> bool:
        return True

    async def _do_getfile(self, call: Call) -> Json:
        file_id = str(call.params.get("file_id"))
        content = self._files.get(file_id)
        if content is None:
            raise Refused(400, "Bad Request: invalid file_id")
        if self._local_dir is not None:
            path = self._local_dir / file_id
            path.write_bytes(content)
            return build.file_content(file_id, len(content), file_path=str(path))
        if len(content) > MAX_DOWNLOAD_BYTES:
            raise Refused(400, "Bad Request: file is too big")
        return build.file_content(file_id, len(content), file_path=f"documents/{file_id}")

    def _check_chat(self, call: Call) -> int:
        chat_id = call.params.get("chat_id")
        if chat_id in self._blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if not isinstance(chat_id, int) or chat_id not in self._known:
            raise Refused(400, "Bad Request: chat not found")
        return chat_id

    def _say(self, call: Call, **content: Any) -> Json:
        chat_id = self._check_chat(call)
        markup = call.params.get("reply_markup")
        check_markup(markup)
        said = build.message(chat_id, from_user=BOT, date=int(time.time()), **content)["message"]
        if markup:
            said["reply_markup"] = markup
        self._messages[chat_id, said["message_id"]] = said
        return said

    async def _post_updates(self) -> None:
        """Post updates to the webhook as Telegram does: a chat's next one only after the last was taken."""
        busy: set[int | None] = set()
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            while True:
                for update in list(self._updates) if self.webhook["url"] else ():
                    if (chat := chat_of(update)) not in busy:
                        busy.add(chat)
                        asyncio.ensure_future(self._post(client, update, busy))  # noqa: RUF006 - ends with the loop
                await asyncio.sleep(0.02)

    async def _post(self, client: httpx.AsyncClient, update: Json, busy: set[int | None]) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        try:
            answer = await client.post(
                self.webhook_target or self.webhook["url"], json=update, headers=headers
            )
            status = answer.status_code
        except httpx.HTTPError:
            status = 0
        with self._changed:
            self.webhook_statuses.append(status)
            if 200 <= status < 300 and update in self._updates:
                self._updates.remove(update)
            self._changed.notify_all()
        if not 200 <= status < 300:
            await asyncio.sleep(0.2)
        busy.discard(chat_of(update))
        self._wake()
