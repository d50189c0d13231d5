"""What is owed to a member: wages, not deposits, fines or compensation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from nlu.facts.model import Fact, Mention, after, before, clause_after
from nlu.facts.money import BY_THE_MONTH, own_front, sums
from nlu.facts.numerals import plain
from nlu.facts.roles import stated

_OWED_BEFORE = re.compile(
    r"(?<![我俺咱])欠(?!费|税|条子?上?没)|拖欠|还差|差(?=我|俺|着|了)|没给(?=我|俺)|没结|还剩|少(?:发|给|开|算)了?|少我|少俺|未[付结发]|尾款|"
    r"冻结(?:我|俺)?的?提成|白条|欠条|条子|打(?:了|的|过)?条|扣(?:着|押)(?:我|俺)|压(?:着|了)(?:我|俺)|讨要|追讨|追回|要回|攒到|该给(?:我|俺)|"
    r"应(?:该)?(?:支付|付|补发)(?:我|俺)|(?:工资|工钱|薪水|欠薪|欠款)(?:还|就|一共|总共)?差(?:着|了)?$|判(?:公司|单位|老板|厂里|他|被告).{0,6}(?:给|付|补)|(?:裁决|判决|判令|调解|仲裁).{0,12}(?:支付|付|给|补发)(?:我|俺)?"
)
_OWED_TOTAL_BEFORE = re.compile(
    r"(?:一共|总共|合计|共计|累计|加起来|加一块|统共|拢共|总计|总数|合|共)(?:是|有|为|欠|差|就|达|约|计|\s|:)*$"
)
_PAY = (
    r"(?:工资|工钱|工程款|运费|货款|课时费|钱|血汗钱|劳务费|尾款|薪水|工薪|"
    r"提成|佣金|奖金|年终奖|加班费|欠薪|派费|保证金)"
)
UNPAID_AFTER = re.compile(
    rf"(?:块钱?|元)?(?:的)?{_PAY}?[,]?(?:了|也|都|到现在|至今|还|一直|一分|一分钱|老板|公司|单位|店里|厂里|就是|"
    r"他|愣是|硬是|迟迟|说|拖了?半年)*(?:没(?:有)?(?:给|发|结|付|见|拿到|到账|到手|着落|要回)|不给|不结|不发|未(?:付|结|发|支付)|要不回来|拖着|赖着|"
    r"拖到|打水漂|没影|爱给不给|一分不给|一分没给|提不出来|不肯|扣着|压着)"
    r"|(?:块钱?|元)?的(?:白条|欠条|条子|欠薪|派费)|写了?欠条"
)
_SLIP_BEFORE = re.compile(
    r"(?:欠条|白条|借条|条子|打(?:了|的|过)?条|裁决书|判决书|调解书|仲裁书)[^。!?;]{0,14}$"
)
_NOT_OWED = re.compile(
    r"[我俺咱]还?欠|押金|保证金|定金|医药费|医疗费|社保|公积金|赔偿金?|补偿金?|罚款|违约金|贷款|借款|借给|借了|房贷|信用卡|货款|房租|租金|化肥|电费|欠税|"
    r"高温费|降温费|高温补贴|补贴|津贴|生活费|路费|手续费|学费|培训费|抚养费|彩礼|伙食费|保险|要求|索赔|想要|赔|任务|指标|住院|(?<![少不没])给了|(?<![少不没未])发了(?!条)|结了|付了|还了|"
    r"已(?:经)?(?:付|给|结)|克扣|其中"
)
_AFTER_MONTHS = re.compile(r"[拖欠压][^。!?;]{0,12}月的?(?:工资|工钱|薪水),?(?:一共|总共|共)?$")
_MONTHS_LACKING = re.compile(
    r"(?:差|欠)(?:着|了|我|俺)*(?:[一二两三四五六七八九俩仨]|\d{1,2})个?月的?(?:工资|工钱|薪水|钱)(?:一共|总共|是)?$"
)
_REST = re.compile(r"还[有差剩欠]|剩下?")
"""What is left of a total: 总共三万二, 给了一万, 还有两万二没给."""
_PRIVATE_DEBT = re.compile(
    r"贷款|车贷|房贷|抚养|赡养|离婚|前夫|前妻|老赖|借条|借给|彩礼|出租|租户|买卖|卖方|我司|农资|诈骗|被骗|转账给|网贷"
)


def find_amount_owed(text: str, as_of: date) -> list[Fact]:
    """Find the wages owed in all, as a decimal string in 元 (欠我两万四 is 24000)."""
    mentions = sums(text, as_of)

    def owed(mention: Mention) -> bool:
        return is_owed(text, mention, mentions)

    return stated("amount_owed", text, mentions, owed, lambda mention: plain(mention.amount))


def is_owed(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
    """Say whether a sum is what is owed, by the words around it."""
    front = own_front(text, mention, mentions, 22)
    back = clause_after(text, mention.end, 18)
    wider = text[max(0, mention.start - 40) : mention.end + 20]
    if _NOT_OWED.search(front[-14:] + text[mention.start : mention.end] + back[:6]):
        return False
    if _MONTHS_LACKING.search(front):
        return True
    if BY_THE_MONTH.search(front) or _PRIVATE_DEBT.search(before(text, mention.start, 40)):
        return False
    if re.match(r"\s*(?:块钱?|元)?(?:一个?月|/月|每月|一天|每天|的?底薪|个|的有)", back):
        return False
    if _OWED_BEFORE.search(front) or _SLIP_BEFORE.search(before(text, mention.start, 18)):
        return True
    if _AFTER_MONTHS.search(before(text, mention.start, 24)):
        return True
    if _OWED_TOTAL_BEFORE.search(front):
        if _REST.search(after(text, mention.end, 24)):
            return False
        return bool(re.search(r"欠|没发|没给|没结|没开|拖|不给|不发|未付|未发|差|扣着|压着", wider))
    ambiguous_wage = re.search(r"(?<!月的)(?<!月)(?:工资|薪水|月薪|底薪)[^欠差]*$", front)
    return bool(UNPAID_AFTER.match(back)) and not ambiguous_wage
