"""The wage of a month: not the base pay, an allowance, a fine, a promise or the minimum wage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from nlu.facts.model import Fact, Mention, after, before, clause_before, undenied
from nlu.facts.money import BY_THE_MONTH, SPELT_MONTHLY_WAGE, sums
from nlu.facts.numerals import plain
from nlu.facts.owed import UNPAID_AFTER, is_owed
from nlu.facts.roles import stated
from nlu.facts.stance import is_somebody_elses

_SMALLEST_WAGE, _LARGEST_WAGE = Decimal(1000), Decimal(300_000)
_LINK = (
    r"(?:[是为有给发放领拿挣开的也就才只能到都共约定好说写按合在我俺她他了税前后实际现金固净打平均工资扣完元钱手里卡结]|"
    r"每月|每个月|一个月|一直|标准|收入|:|\s)*"
)
_MONTHLY_BEFORE = re.compile(
    rf"(?:月薪|{SPELT_MONTHLY_WAGE}|(?<![个俩仨半\d一二两三四五六七八九十])月工资|月收入|月给|每月|每个月|一个月|按月|一月(?!份)|月均|月平均|单月|(?<![\d个一二三四五六七八九十上这本下])月){_LINK}$"
    rf"|(?:到手|税前|税后|实发|应发)(?:工资)?{_LINK}$"
    rf"|(?<!社会)平均{_LINK}$|试用期?{_LINK}$|(?:工资|薪水)(?:也)?(?:涨|提|降|调|减)(?:到|至|成)了?$"
    rf"|(?:工资|薪水|薪资|公资|工钱)(?:条上?|卡里?|单|标准)?{_LINK}$"
)
_MONTHLY_AFTER = re.compile(
    r"\s*(?:块钱?|元)?\s*(?:(?:的)?(?:死|固定)(?:工资|薪水)|(?:/|每|一个?)月(?!工资没|没|的?社保|房)|每个月|(?:包吃住|管吃住|管住))"
)
_NOT_WAGE_BEFORE = re.compile(
    r"底薪|基本工资|头一?个?月|第.个月|上个?月|这个?月|最低(?:工资)?|基数|房租|房贷|车贷|贷款|还款|按揭|罚|扣|赔|补偿|补贴|补助|津贴|奖金|全勤|提成|加班费|高温费|降温费|饭补|"
    r"房补|餐补|话费|社保|公积金|生活费|学费|押金|违约金|培训费|伙食|年薪|一年|年收入|日薪|日工资|一天|每天|天天|时薪|小时|计件|一件|一单|"
    r"每单|低保|养老金|退休金|失业金|少(?:发|给|开)?|多(?:发|给)|从|改成|变成|承诺|答应|转正|家庭|全家|两口子|原来|以前|保底|面试|招聘|应聘|招工|拟|"
    r"人家|别人|同事|正式工|同岗|市场价|垫|借|花|要求|标准|不到"
)
_NOT_WAGE_AFTER = re.compile(
    r"\s*(?:块钱?|元)?(?:的)?(?:底薪|补贴|补助|津贴|奖金|押金|罚款|生活费|房租|一天|/天|每天|一小时|/小时|每小时|一年|/年|每年|年薪|降到|掉到|"
    r"涨到|到\d|除以|提成|社保|公积金|违约金|赔偿|补偿|饭补|外债|贷款|抚养费|(?:外|另)?加(?!班)|就中|就行|的?最低)"
)
_NOW_ANOTHER = re.compile(r"[^。!?;]{0,8}(?:现在|如今|这会儿)[^,。]{0,6}?[\d一二两三四五六七八九]")
_FALLS = re.compile(
    r"(?:块钱?|元)?[,]?还(?:[差欠]|有(?:\d|[一二两三四五六七八九][百千万]))|(?:块钱?|元)?[,]?(?:直接|突然|一下子)?(?:给我)?(?:降|掉|减|涨|调|改|变)(?:成|到|为|至)|到[\d一二两三四五六七八九]"
)
_HOUSEHOLD = re.compile(r"家庭|全家|两口子|俩人|我们俩|加起来")
_RELATIVE = re.compile(r"(?:老公|老婆|对象|爱人|丈夫|妻子|孩子他?爸|媳妇|爸|妈|前妻|前夫)")
_TOLD_BY_THEN = 40
"""Characters after which a relative who appears is a part of the story and not the one it is about."""
_AID_FOR_A_CHILD = re.compile(r"助学|补助|低保|救助|帮扶|困难")
_MINE = re.compile(
    r"^(?:[,]|块钱?|元)*(?:可|但|而|那)?[我俺]们?(?:每月|一个月)?(?:[才就只是拿挣开有给]|只有)*$"
)
"""Mine beside somebody else's: 同事一个月八千我才六千二."""
_EARNS = re.compile(r"(?:拿|挣|开|领|才|就|有)(?:着|了|到)?\s*$")
_IS_WAGE = re.compile(r"\s*(?:块钱?|元)?(?:的)?(?:工资|薪水|月薪)")
_NOT_WORKING = re.compile(
    r"病假|产假|停工|停产|待岗|放假|暑假|寒假|请假|医疗期|停薪|生活费|退休|竞业|津贴|休养|内退|抚养费|淡季|旺季|希望|听说|养老院|托费|民办|伪造|假证明|救济|分期"
)


def find_monthly_wage(text: str, as_of: date) -> list[Fact]:
    """Find the wage of a month, as a decimal string in 元 (一个月六千五 is 6500)."""
    mentions = sums(text, as_of)

    def wage(mention: Mention) -> bool:
        return (
            _SMALLEST_WAGE <= mention.amount <= _LARGEST_WAGE
            and not is_owed(text, mention, mentions)
            and (_is_monthly_wage(text, mention) or _is_mine_beside(text, mention, mentions))
        )

    return stated("monthly_wage", text, mentions, wage, lambda mention: plain(mention.amount))


def _is_mine_beside(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
    earlier = [other for other in mentions if other.end <= mention.start]
    if not earlier or not _MINE.match(text[earlier[-1].end : mention.start]):
        return False
    if _NOT_WAGE_AFTER.match(after(text, mention.end, 10)):
        return False
    front = clause_before(text, earlier[-1].start)
    by_the_month = _MONTHLY_BEFORE.search(front) or _MONTHLY_AFTER.match(after(text, earlier[-1].end, 10))
    return bool(by_the_month) and is_somebody_elses(text, earlier[-1].start)


def _is_monthly_wage(text: str, mention: Mention) -> bool:
    front, back = undenied(clause_before(text, mention.start)), after(text, mention.end, 10)
    if _NOT_WAGE_BEFORE.search(front[-9:]) or _NOT_WAGE_AFTER.match(back):
        return False
    if _NOT_WORKING.search(before(text, mention.start, 24)) or _HOUSEHOLD.search(front):
        return False
    if _changes(text, mention):
        return False
    told_late = mention.start > _TOLD_BY_THEN or _AID_FOR_A_CHILD.search(text)
    if told_late and _RELATIVE.search(front):
        return False
    if _MONTHLY_AFTER.match(back) or (_EARNS.search(front) and _IS_WAGE.match(back)):
        return True
    return bool(_MONTHLY_BEFORE.search(front)) and not _unpaid_wage(front, back)


_TWO_WAGES = re.compile(
    r"试用.{0,12}?(?P<first>[\d.]{3,}|[一二两三四五六七八九千百万]{2,})(?:块钱?|元)?[,、]?.{0,3}转正"
)
_ON_TRIAL = re.compile(r"还在试用|试用期(?:还)?没过|(?:还)?没转正|试用期内")


def _changes(text: str, mention: Mention) -> bool:
    """Say whether this is the wage of a trial beside that of a regular, or one that falls to another."""
    behind = after(text, mention.end, 20)
    if _FALLS.match(behind):
        return True
    if "之前" in clause_before(text, mention.start) and _NOW_ANOTHER.match(behind):
        return True
    both = _TWO_WAGES.search(before(text, mention.start, 24) + after(text, mention.start, 24))
    return bool(both) and not _ON_TRIAL.search(text)


def _unpaid_wage(front: str, back: str) -> bool:
    """Say whether 工资6000没给 leaves open if this is a month's wage or the sum owed."""
    return bool(UNPAID_AFTER.match(back)) and not BY_THE_MONTH.search(front)
