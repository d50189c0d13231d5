"""Stance: whether the words in front of a value say that it is somebody else's, or only supposed."""

from __future__ import annotations

import re

from nlu.facts.model import clause_before

_SUPPOSED = re.compile(
    r"(?:要是|如果|假如|假设|假定|假使|万一|倘若|比如|譬如|例如|举例|打个比方|是不是|有没有|是否|能不能)[^我俺]{0,3}"
    r"[^,。!?;]{0,12}$"
)
_SUPPOSED_AFTER = re.compile(r"\s*(?:块钱?|元)?的话(?!费)")
_OTHERS = re.compile(
    r"(?<![跟和与比让被着给帮])(?:同事|工友|人家|别人|隔壁|邻居|同学|朋友|老乡|有人|有的人?|正式工|直招的|听说|据说|"
    r"(?:一|有)个大姐|有个师傅|最[长短]的|前夫|前妻|老板(?=[干做当]))(?!们?[和跟]我)(?![^,。!?;]{0,8}[我俺咱])[^,。!?;]{0,14}$"
)


def is_supposed(text: str, start: int, end: int) -> bool:
    """Say whether what stands there is only supposed or asked (要是欠三个月, 是不是35度, 月薪5000的话)."""
    return bool(_SUPPOSED.search(clause_before(text, start, 20)) or _SUPPOSED_AFTER.match(text, end))


def is_somebody_elses(text: str, start: int) -> bool:
    """Say whether what stands at ``start`` is a colleague's and not the member's (同事被欠了两万)."""
    return bool(_OTHERS.search(clause_before(text, start, 24)))
