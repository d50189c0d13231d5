"""Courtesy in front of a question: 你好, 请问, 我想咨询一下. It says nothing of what is asked.

A long question that opens with a greeting would else look a little like small talk to the classifier.
"""

from __future__ import annotations

import re

_COURTESY = re.compile(
    r"(?:(?:你好|您好|请问(?:一下)?|咨询(?:一下)?|我?想(?:咨询|问|请教)(?:一下|下)?|麻烦问(?:一下|下)?"
    r"|老师|律师|领导|在吗|各位|大家好|hello|hi)[呀啊哈吗,。!?、:;~…\s]*)+"
)
_LEAST_LEFT = 5


def courtesy_length(text: str) -> int:
    """Return how many characters of a lower-case text are courtesy before the matter itself.

    0 where fewer than 5 characters would be left: then the greeting is the message.
    """
    match = _COURTESY.match(text)
    return match.end() if match and len(text) - match.end() >= _LEAST_LEFT else 0
