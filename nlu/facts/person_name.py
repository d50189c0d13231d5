"""The name a member gives."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.model import Fact

SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖"
    "邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐"
    "沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉"
    "饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞"
    "封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺亓逄綦"
)
COMPOUND_SURNAMES = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "司徒",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "夏侯",
    "端木",
)
_HAN = r"[\u4e00-\u9fff]"
_BOUNDARY = r"(?=[,。!?;、:…\s()]|$|今年|是|在|电话|手机|男|女|俺|我)"
_CALLED = re.compile(
    rf"(?:[我俺]叫|(?:^|[,。;\s])(?:她|他)?叫|(?:我的|俺的?)?(?:姓名|名字|真名|大名)(?:是|叫|为|改成|[:\s])*|[我俺]名叫|登记成?{_HAN}{{0,6}}的名字[,\s]*)(?P<name>{_HAN}{{2,4}}?){_BOUNDARY}"
)
_I_AM = re.compile(rf"[我俺](?:就)?是(?P<name>{_HAN}{{2,4}}?)(?=[,。!?;、…\s]|$)")
_SURNAMED = re.compile(rf"[我俺](?:本人)?姓(?P<name>{_HAN})(?=[,。!?;、:…\s]|$|叫|在|是|的|电话)")
_NOT_A_NAME = re.compile(
    r".*[工员人生师长机头手者商户民妈爸姐哥弟妹儿女男的了嫂叔伯爷奶婆姨家亲友属们任理总书记兵医护司厂店队组级岗职种类样么啥谁里下上]$"
)


def find_person_name(text: str, as_of: date) -> list[Fact]:
    """Find the name a member gives: after 我叫, 姓名, 我姓 (a surname alone), 我是 where it is no trade."""
    facts = []
    for match in _CALLED.finditer(text):
        if _is_name(match["name"]):
            facts.append(_name(text, match))
    for match in _I_AM.finditer(text):
        if _is_name(match["name"]) and not _NOT_A_NAME.match(match["name"]):
            facts.append(_name(text, match))
    if not facts:
        facts = [_name(text, match) for match in _SURNAMED.finditer(text) if match["name"] in SURNAMES]
    return facts


def _is_name(name: str) -> bool:
    if name.startswith(COMPOUND_SURNAMES):
        return 3 <= len(name) <= 4
    return name != "单位" and name[0] in SURNAMES and 2 <= len(name) <= 3 and name[1] not in "某经总主师老工"


def _name(text: str, match: re.Match[str]) -> Fact:
    return Fact("person_name", match["name"], match.start("name"), match.end("name"), match["name"])
