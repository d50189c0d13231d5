"""Updates as Telegram sends them: plain JSON, for ``Update.de_json`` and for the fake Bot API alike."""

from __future__ import annotations

import itertools
from typing import Any

Json = dict[str, Any]

SENT_AT = 1_784_511_060
"""2026-07-20T01:31:00Z, a minute after the tests' clock."""
_message_ids = itertools.count(1)
_update_ids = itertools.count(5001)


def numbered(update: Json, update_id: int | None = None) -> Json:
    """The update with an id (the next one unless given)."""
    return {"update_id": next(_update_ids) if update_id is None else update_id} | update


def user(user_id: int, name: str = "建国") -> Json:
    return {"id": user_id, "is_bot": False, "first_name": name, "language_code": "zh-hans"}


def private_chat(chat_id: int) -> Json:
    return {"id": chat_id, "type": "private", "first_name": "建国"}


def group_chat(chat_id: int = -1001) -> Json:
    return {"id": chat_id, "type": "supergroup", "title": "工友群"}


def message(chat_id: int = 700, *, chat: Json | None = None, date: int = SENT_AT, **content: Any) -> Json:
    """A message from a member in their private chat, or in ``chat``."""
    sender = content.pop("from_user", None) or user(abs(chat_id))
    body = {
        "message_id": next(_message_ids),
        "date": date,
        "chat": chat or private_chat(chat_id),
        "from": sender,
    }
    return {"message": body | content}


def text(chat_id: int, words: str, **more: Any) -> Json:
    return message(chat_id, text=words, **more)


def edited(chat_id: int, **content: Any) -> Json:
    body = message(chat_id, **content)["message"]
    return {"edited_message": body | {"edit_date": body["date"] + 30}}


def file_content(file_id: str, size: int | None, **more: Any) -> Json:
    return (
        {"file_id": file_id, "file_unique_id": f"u{file_id}"}
        | ({} if size is None else {"file_size": size})
        | more
    )


def photo(
    chat_id: int, file_id: str, *, size: int | None = 2000, caption: str | None = None, **more: Any
) -> Json:
    """A photo in three sizes; the largest carries ``file_id``."""
    sizes = [
        file_content(f"{file_id}-s", 100, width=90, height=60),
        file_content(file_id, size, width=1280, height=960),
        file_content(f"{file_id}-m", 500, width=320, height=240),
    ]
    return message(chat_id, photo=sizes, **({"caption": caption} if caption else {}), **more)


def document(
    chat_id: int,
    file_id: str,
    filename: str = "合同.pdf",
    media_type: str = "application/pdf",
    *,
    size: int | None = 2000,
    caption: str | None = None,
    **more: Any,
) -> Json:
    content = file_content(file_id, size, file_name=filename, mime_type=media_type)
    return message(chat_id, document=content, **({"caption": caption} if caption else {}), **more)


def voice(chat_id: int, file_id: str, *, size: int = 900) -> Json:
    return message(chat_id, voice=file_content(file_id, size, duration=4, mime_type="audio/ogg"))


def video_note(chat_id: int, file_id: str, *, size: int = 900) -> Json:
    return message(chat_id, video_note=file_content(file_id, size, duration=4, length=240))


def audio(chat_id: int, file_id: str, *, size: int = 900) -> Json:
    content = file_content(file_id, size, duration=4, mime_type="audio/mpeg", file_name="录音.mp3")
    return message(chat_id, audio=content)


def location(chat_id: int, latitude: float = 36.66, longitude: float = 117.02, **more: Any) -> Json:
    return message(chat_id, location={"latitude": latitude, "longitude": longitude} | more)


def contact(chat_id: int, phone: str = "13800138000", *, of: int | None = None) -> Json:
    owner = {"user_id": of} if of is not None else {}
    return message(chat_id, contact={"phone_number": phone, "first_name": "建国", "last_name": "张"} | owner)


def sticker(chat_id: int, emoji: str = "👍") -> Json:
    content = file_content(
        "st1", 300, width=512, height=512, is_animated=False, is_video=False, type="regular", emoji=emoji
    )
    return message(chat_id, sticker=content)


def poll(chat_id: int) -> Json:
    options = [
        {"text": "是", "voter_count": 0, "persistent_id": "1"},
        {"text": "否", "voter_count": 0, "persistent_id": "2"},
    ]
    return message(
        chat_id,
        poll={
            "id": "1",
            "question": "老板拖欠工资吗",
            "options": options,
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        },
    )


def press(
    chat_id: int, data: str, *, markup: Json | None = None, message_id: int = 900, query_id: str = "q1"
) -> Json:
    """A press on an inline button under one of the bot's messages."""
    shown = {"message_id": message_id, "date": SENT_AT, "chat": private_chat(chat_id), "text": "请选择"}
    shown["from"] = {"id": 7000000001, "is_bot": True, "first_name": "娘家人"}
    if markup is not None:
        shown["reply_markup"] = markup
    return {
        "callback_query": {
            "id": query_id,
            "from": user(chat_id),
            "chat_instance": "1",
            "data": data,
            "message": shown,
        }
    }


def membership(chat: Json, status: str, who: int = 700) -> Json:
    """The bot's own place in a chat changed (blocked, taken into a group)."""
    bot = {"id": 7000000001, "is_bot": True, "first_name": "娘家人"}
    rights = dict.fromkeys(_RIGHTS.get(status, ()), False) | ({"until_date": 0} if status in _ENDING else {})
    if status == "restricted":
        rights["is_member"] = True
    before = "left" if status == "member" else "member"
    return {
        "my_chat_member": {
            "chat": chat,
            "from": user(who),
            "date": SENT_AT,
            "old_chat_member": {"user": bot, "status": before},
            "new_chat_member": {"user": bot, "status": status} | rights,
        }
    }


_ENDING = ("kicked", "restricted")
_RIGHTS = {
    "administrator": (
        "can_be_edited",
        "is_anonymous",
        "can_manage_chat",
        "can_delete_messages",
        "can_manage_video_chats",
        "can_restrict_members",
        "can_promote_members",
        "can_change_info",
        "can_invite_users",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
    ),
    "restricted": (
        "is_member",
        "can_change_info",
        "can_invite_users",
        "can_pin_messages",
        "can_send_messages",
        "can_send_polls",
        "can_send_other_messages",
        "can_add_web_page_previews",
        "can_manage_topics",
        "can_edit_tag",
        "can_react_to_messages",
        "can_send_audios",
        "can_send_documents",
        "can_send_photos",
        "can_send_videos",
        "can_send_video_notes",
        "can_send_voice_notes",
    ),
}
