"""The normaliser gives one spelling to what members type in many."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.normaliser import MAX_CHARACTERS, TextNormaliser, normalise


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("欠薪１２３４５元", "欠薪12345元"),
        ("ＡＰＰ登不上", "APP登不上"),
        ("拖欠薪水怎麼辦", "拖欠薪水怎么办"),
        ("槐蔭區歷下區", "槐荫区历下区"),
        ("老板\u200b不给\ufeff钱", "老板不给钱"),
        ("老板\x00不给\x07钱", "老板不给钱"),
        ("救命啊啊啊啊！！！！", "救命啊!"),
        ("凭什么？？？", "凭什么?"),
        ("工资没发……怎么办", "工资没发…怎么办"),
        ("哈哈", "哈哈"),
        ("加班加班加班", "加班加班加班"),
        ("天天天天加班", "天天加班"),
        ("欠我10000元", "欠我10000元"),
        ("电话一三八零零零零一二三四", "电话一三八零零零零一二三四"),
        ("高温费😀有没有🎉", "高温费 有没有"),
        ("不想活了🪦", "不想活了🪦"),
        ("👍", "👍"),
        ("看这个https://example.com/a?b=1说的对吗", "看这个网址说的对吗"),
        ("网站www.example.cn打不开", "网站网址打不开"),
        ("发我abc.d@example.com吧", "发我邮箱吧"),
        ("  工 资   没发  \n 三个月 ", "工 资 没发 三个月"),
        ("拖 欠 工 资", "拖欠工资"),
        ("干了三年 没签合同 能赔吗", "干了三年 没签合同 能赔吗"),
        ("／restart", "restart"),
        ("\u200b/request_forget", "request_forget"),
        ("/ / restart", "restart"),
        ("气温39℃", "气温39°C"),
        ("3.5万", "3.5万"),
        ("", ""),
        ("😀😀", ""),
    ],
)
def test_a_spelling_is_normalised(written: str, read: str) -> None:
    assert normalise(written) == read


CHARACTERS = st.one_of(
    st.characters(),
    st.sampled_from(
        list("啊呀一二零〇万AaBb019.,。!！…/／@:-_ \t\n\u200b\ufe0f麼後瞭著乾薑網址😀🪦①½℃www.com")
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.text(CHARACTERS, max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(CHARACTERS, max_size=40))
def test_a_members_words_never_become_a_command(text: str) -> None:
    assert not normalise(text).strip().startswith("/")


def test_a_long_text_is_cut_and_does_not_overflow_the_converter() -> None:
    assert normalise("麼" * 30_000) == "么么"
    long = normalise("發工資" * 10_000)
    assert len(long) == MAX_CHARACTERS
    assert long.startswith("发工资发工资")


def test_the_component_normalises_in_training_and_when_serving_and_spares_payloads() -> None:
    component = TextNormaliser()
    examples = [Message({"text": "拖欠薪水怎麼辦！！"}), Message({"text": '/inform{"district":"歷下"}'})]
    component.process_training_data(TrainingData(examples))
    assert [message.get("text") for message in examples] == ["拖欠薪水怎么办!", '/inform{"district":"歷下"}']
    served = component.process([Message({"text": "／menu"}), Message({"text": ""})])
    assert [message.get("text") for message in served] == ["menu", ""]
