"""A greeting in front of a question is left out; a greeting alone is a greeting."""

from __future__ import annotations

import pytest

from nlu.courtesy import courtesy_length


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("你好,我想咨询一下,厂里三个月没发工资", "厂里三个月没发工资"),
        ("您好 请问试用期可以不交社保吗", "试用期可以不交社保吗"),
        ("律师你好,被辞退了怎么赔", "被辞退了怎么赔"),
        ("老板不给钱怎么办", "老板不给钱怎么办"),
        ("你好", "你好"),
        ("你好在吗", "你好在吗"),
        ("请问加班费", "请问加班费"),
    ],
)
def test_only_courtesy_before_a_matter_is_left_out(text: str, matter: str) -> None:
    assert text[courtesy_length(text) :] == matter
