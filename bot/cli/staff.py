"""staff: accounts, and the hotline's deeds from the command line when there is no browser at hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cli import staff_accounts
from bot.cli.house import settings, with_database
from casework import accounts, conversations, handoff, messages, staff_talk
from casework.clock import SHANGHAI, SystemClock
from casework.database import Database
from casework.tables import Conversation, Owner, Staff
from casework.wording import Wording

app = typer.Typer(help="Staff: accounts, queue, transcript, reply, hand back.", no_args_is_help=True)
Login = Annotated[str, typer.Option("--as", help="Login of the member of staff", envvar="NIANGJIA_STAFF")]
ConversationId = Annotated[str, typer.Argument(help="Conversation, as the queue shows it")]

staff_accounts.install(app)


@app.command()
def queue() -> None:
    """Show who is waiting, urgent ones first, then urgent conversations the bot still answers."""

    async def deed(database: Database) -> list[Conversation]:
        async with database.read() as session:
            return [*await conversations.queue(session), *await conversations.urgent_with_bot(session)]

    waiting = with_database(deed)
    if not waiting:
        typer.echo("nobody is waiting")
    for conversation in waiting:
        since = conversation.queued_at or conversation.last_message_at
        typer.echo(
            f"{conversation.id}\t{'URGENT ' if conversation.urgent else ''}{conversation.owner.value}\t"
            f"{since.astimezone(SHANGHAI):%m-%d %H:%M}\t"
            f"{conversation.urgent_reason or conversation.handoff_reason or ''}\t{conversation.channel.value}"
        )


@app.command()
def show(conversation_id: ConversationId) -> None:
    """Show a conversation's transcript."""

    async def deed(database: Database) -> list[str]:
        async with database.read() as session:
            found = await messages.transcript(session, conversation_id)
            return [
                f"{message.created_at.astimezone(SHANGHAI):%m-%d %H:%M} "
                f"[{message.author.value}] {message.text or ''}"
                for message in found
            ]

    for line in with_database(deed):
        typer.echo(line)


@app.command()
def reply(
    conversation_id: ConversationId,
    text: Annotated[str, typer.Argument(help="What to say to the member")],
    login: Login,
) -> None:
    """Answer a member; takes the conversation over when it is waiting."""

    async def deed(session: AsyncSession, person: Staff) -> None:
        await staff_talk.reply(session, conversation_id, person, text, SystemClock().now())

    as_staff(login, deed)
    typer.echo("sent")


@app.command()
def takeover(conversation_id: ConversationId, login: Login) -> None:
    """Take a conversation over from the queue or the bot."""

    async def deed(session: AsyncSession, person: Staff) -> None:
        conversation = await conversations.get(session, conversation_id)
        await handoff.take_over(session, conversation, person, SystemClock().now())

    as_staff(login, deed)
    typer.echo("it is yours")


@app.command()
def handback(
    conversation_id: ConversationId,
    login: Login,
    note: Annotated[str | None, typer.Option(help="What the member is told with it")] = None,
) -> None:
    """Give a conversation back to the bot; the member is told."""
    wording = Wording.load(settings().home / "data" / "knowledge")

    async def deed(session: AsyncSession, person: Staff) -> None:
        now = SystemClock().now()
        conversation = await conversations.get(session, conversation_id)
        if conversation.owner == Owner.QUEUED:
            await handoff.take_over(session, conversation, person, now)
        await handoff.hand_back(session, conversation, person, now, wording=wording, said=note)

    as_staff(login, deed)
    typer.echo("the bot answers again")


def as_staff(login: str, deed: Callable[[AsyncSession, Staff], Awaitable[None]]) -> None:
    """Run a deed in one transaction as this member of staff; an unknown login is refused."""

    async def run(database: Database) -> None:
        async with database.transaction() as session:
            person = await accounts.find_staff(session, login)
            await deed(session, person)

    with_database(run)
