"""What people say in the workbench on show: made up, every word of it (示例)."""

from __future__ import annotations

from dataclasses import dataclass

LIVE = "2026-11-19-1"


@dataclass(frozen=True, slots=True)
class Group:
    """Group: what members said nearly alike, and how the model read it."""

    words: tuple[str, ...]
    guesses: tuple[tuple[str, float], ...]
    accepted: bool = False
    disliked: bool = False
    handed_off: bool = False
    should: str | None = None
    """What the hotline said it should have been."""


WAGES = Group(
    (
        "包工头说量方不够，工票就是不给签",
        "包工头说量方不够，工票就是不给签！",
        "包工头说量方不够，工票就是不给签，咋弄",
        "包工头说量方不够，工票就是不给签咋办呢",
        "俺包工头说量方不够，工票就是不给签",
        "俺们包工头说量方不够，工票就是不给签",
        "包工头说量方不够，工票就是不给签啊",
        "包工头又说量方不够，工票就是不给签",
        "包工头说量方不够工票就是不给签，找谁",
    ),
    (("ask_wage_arrears", 0.38), ("ask_procedure", 0.30), ("ask_labour_other", 0.12)),
)
INJURY = Group(
    (
        "电焊打了眼睁不开，工头让我先回家躺着",
        "电焊打了眼睁不开，工头让我先回家躺着，管不管",
        "电焊打了眼睁不开，工头让我先回家躺着！",
        "昨天电焊打了眼睁不开，工头让我先回家躺着",
    ),
    (("ask_work_injury", 0.42), ("ask_leave", 0.21), ("crisis_medical", 0.17)),
)
ALLOWANCE = Group(
    (
        "夏天那几个月的降温费冬天还能找补不",
        "夏天那几个月的降温费冬天还能找补不？",
        "夏天那几个月的降温费到冬天还能找补不",
    ),
    (("ask_heat_allowance", 0.91), ("ask_wage_arrears", 0.05)),
    accepted=True,
    disliked=True,
)
RIDER = Group(
    ("站长把我账号停了不让接单，找谁说理", "站长把我账号停了不让接单，找谁说理去"),
    (("ask_dispatch", 0.62), ("ask_dismissal", 0.21), ("ask_procedure", 0.08)),
    accepted=True,
    handed_off=True,
)
NIGHT = Group(
    ("夜班补贴跟加班费是不是一回事",),
    (("ask_overtime", 0.77), ("ask_labour_other", 0.14)),
    accepted=True,
    should="ask_labour_other",
)
CLOSE = Group(
    ("年假没歇完，人事就让我签自愿离开", "年假没歇完，人事就让我签自愿离开的单子"),
    (("ask_leave", 0.41), ("ask_resignation", 0.36), ("ask_dismissal", 0.15)),
    accepted=True,
)
PARKING = Group(
    ("小区停车费涨了一百，你们给管管不",),
    (("out_of_scope", 0.44), ("ask_hardship", 0.12)),
    accepted=True,
)
DESPAIR = Group(
    (
        "心里堵得慌，晚上睡下就盼着别再醒过来",
        "心里堵得慌，晚上睡下就盼着别再醒过来了",
        "心里堵得慌，晚上睡下就盼着别再醒过来……",
    ),
    (("crisis_self_harm", 0.46), ("complain", 0.33), ("ask_culture", 0.07)),
)
LOCKED_IN = Group(
    ("班头堵着宿舍门，说谁走就收拾谁",),
    (("crisis_violence", 0.52), ("ask_resignation", 0.24), ("complain", 0.11)),
)
TOWER = Group(
    ("工钱再拖下去，俺就上塔吊坐着去",),
    (("crisis_extreme_protest", 0.47), ("ask_wage_arrears", 0.44)),
)
FALLEN = Group(
    ("架子塌了压着个人，喊他没动静",),
    (("crisis_medical", 0.49), ("ask_work_injury", 0.41)),
)
THREATENED = Group(
    ("老乡被看场子的扣在屋里，手机也收了",),
    (("crisis_violence", 0.57), ("complain", 0.16)),
)
BUS = Group(
    ("厂里班车停了，住得远的咋上班",),
    (("ask_labour_other", 0.31), ("out_of_scope", 0.29)),
)
BADGE = Group(
    ("项目部把工牌一收，就说是俺自己不干了", "项目部把工牌一收就说是俺自己不干了！"),
    (("ask_resignation", 0.43), ("ask_dismissal", 0.40), ("ask_contract", 0.06)),
)

EARLY = (
    ("挂靠的公司换了名，攒的钱找谁要", "ask_wage_arrears"),
    ("老板把厂子转给他小舅子了，欠的账不认", "ask_wage_arrears"),
    ("计件单价说降就降，月底一算少了[八百](amount_owed)", "ask_wage_arrears"),
    ("塔吊司机熬了俩通宵，一分加班都没算", "ask_overtime"),
    ("开早会那半个钟头算不算上班", "ask_overtime"),
    ("门卫说我名字不在册，不让打卡了", "ask_dismissal"),
)
MISTAKEN = ("值夜班算加班不", "国庆三倍吗", "大年夜上班几倍", "强制加班")
"""They stand rightly; somebody moved them, and took that back."""
LEARNT = (
    ("干的是力工，发的是学徒钱", "ask_wage_arrears"),
    ("钱打到班长卡上了，班长说没见着", "ask_wage_arrears"),
    ("俩公司来回签，工龄从头算", "ask_contract"),
    ("空白合同让我先摁手印", "ask_contract"),
    ("说好的转正，又让我再试[两个月](months_owed)", "ask_probation"),
)
LATER = (
    ("押了我一个月工资当服装钱", "ask_wage_arrears"),
    ("人都走了[半年](tenure_years)，押金还扣着", "ask_wage_arrears"),
    ("冷库里头冻得手麻，有啥补贴没", "ask_labour_other"),
    ("交了保险没有，上哪看得着", "ask_social_insurance"),
)
TODAY = (
    ("中介拿着俺的工资卡不还", "ask_wage_arrears"),
    ("派单的平台说不归它管，站点说不归站点管", "ask_dispatch"),
    ("送餐摔了一跤，保险说要平台点头才赔", "ask_work_injury"),
)
IMPORTED = (
    ("调休一直批不下来！！", "ask_leave"),
    ("工钱要不回来。", "ask_wage_arrears"),
    ("天天干到晚上九点，组长说没填审批单就不算加班", "ask_overtime"),
    ("老丈人没了，公司说不是亲爹不给丧假，只能请假，有这规矩吗", "ask_contract"),
    ("[工牌](paper)丢了要罚五十", "ask_labour_other"),
    ("俺叫某某，在某某厂看大门，有事打俺手机", "ask_jobs"),
    ("年后你们还办招聘会不，具体哪天在哪呢", "ask_jobs"),
    ("厂里让签个自愿放弃社会保险的纸，签了还能要回来不", "ask_social_insurance"),
)
"""A colleague's file, taken in as it was: every line has something the lint finds."""
SUSPECTS = (
    ("律师费谁承担", "ask_procedure", "ask_legal_aid", "3.20"),
    ("最低工资多少", "ask_wage_arrears", "ask_labour_other", "2.71"),
    ("停工有钱没", "ask_wage_arrears", "ask_labour_other", "2.16"),
    ("孕妇能晒着站岗不", "ask_heat_stop_work", "ask_maternity", "1.94"),
)
"""A sentence, where it stands, what it seems to mean, and how sure that is."""

# Sentences no model was trained on: (words, topic, what a model takes them for where it is wrong).
Asked = tuple[str, str, str]
SOON_RIGHT: tuple[Asked, ...] = (
    ("工程款没下来，俺的工钱就得跟着等么", "labour.wage_arrears", "labour.procedure"),
    ("换了三个班组，哪个都说不欠我的", "labour.wage_arrears", "labour.dispatch"),
    ("到手的钱跟工资条对不上数", "labour.wage_arrears", "labour.social_insurance"),
    ("周末开培训算不算出勤", "labour.overtime", "labour.leave"),
    ("厂长一句话明天不用来了", "labour.dismissal", "labour.resignation"),
    ("说我迟到三回就让走人", "labour.dismissal", "labour.leave"),
)
RIGHT_AT_LAST: tuple[Asked, ...] = (
    ("合同上写的地方跟干活的地方不一样", "labour.contract", "labour.dispatch"),
    ("试着干了十天说不要了，钱也没给", "labour.probation", "labour.wage_arrears"),
    ("让我签的是劳务，不是劳动", "labour.contract", "labour.dispatch"),
    ("班长代领的工资，他跑了算谁的", "labour.wage_arrears", "labour.dispatch"),
    ("都转正了还给我开试用的钱", "labour.probation", "labour.wage_arrears"),
    ("学徒干的是师傅的活，钱只有一半", "labour.wage_arrears", "labour.other"),
    ("一张纸就把俺派到外地去了", "labour.contract", "labour.dispatch"),
    ("空着的合同让先摁手印行不行", "labour.contract", "labour.procedure"),
    ("满三个月了也不说留不留", "labour.probation", "labour.contract"),
)
RIGHT_NOW: tuple[Asked, ...] = (
    ("工服的钱从工资里头扣，合适么", "labour.wage_arrears", "labour.other"),
    ("不干了押的那份还退不退", "labour.wage_arrears", "labour.resignation"),
    ("干满一年才给结，半道走就没有", "labour.wage_arrears", "labour.resignation"),
    ("工资卡在别人手里攥着", "labour.wage_arrears", "talk.out_of_scope"),
    ("下大雪停了三天工，钱怎么算", "labour.wage_arrears", "heat.stop_work"),
    ("冷库上班有没有额外的钱", "labour.other", "heat.allowance"),
    ("单位到底给俺上没上保险", "labour.social_insurance", "service.mutual_aid"),
    ("公司报的基数比工资低一大截", "labour.social_insurance", "labour.wage_arrears"),
    ("断了两个月的社保谁给补", "labour.social_insurance", "labour.retirement"),
    ("打了欠条还能去仲裁不", "labour.procedure", "labour.wage_arrears"),
    ("监察大队和仲裁是不是一家", "labour.procedure", "legal.station"),
    ("工牌被收了算不算辞退", "labour.dismissal", "labour.resignation"),
)
SLIPPED_BEFORE: tuple[Asked, ...] = (
    ("孩子发烧请假扣全勤", "labour.leave", "labour.wage_arrears"),
    ("签了三份合同，哪份算数", "labour.contract", "labour.procedure"),
    ("想换个电工证上哪学", "service.jobs", "service.skills"),
)
SLIPPED_NOW: tuple[Asked, ...] = (
    ("离职证明压着不给，新单位不让进", "labour.resignation", "labour.wage_arrears"),
    ("垫的材料钱老板说下月再说", "labour.other", "labour.wage_arrears"),
    ("保安四班倒变两班倒", "labour.overtime", "labour.contract"),
)
OVERTIME: tuple[Asked, ...] = (
    ("节日值班给几倍", "labour.overtime", "labour.leave"),
    ("盘库盘到半夜给不给钱", "labour.overtime", "labour.leave"),
    ("大小周算不算违规", "labour.overtime", "labour.leave"),
    ("倒班多出来的点怎么结", "labour.overtime", "labour.leave"),
    ("赶工期一个月没歇", "labour.overtime", "labour.leave"),
    ("元旦上了一天，说给补休", "labour.overtime", "labour.leave"),
    ("领导让周日来开会，不记考勤", "labour.overtime", "labour.leave"),
    ("双休变单休，钱没变", "labour.overtime", "labour.leave"),
)
HEAT: tuple[Asked, ...] = (
    ("屋顶上干活干着干着眼前发黑", "heat.illness", "heat.stop_work"),
    ("大太阳底下抽筋了喝盐水行不", "heat.illness", "heat.relief"),
    ("锅炉房里头闷得直吐", "heat.illness", "talk.out_of_scope"),
)
CHANGED_ANSWERS = (
    ("工钱的事找你们还是找劳动局", "labour.wage_arrears", "labour.procedure"),
    ("押金不退咋整", "labour.other", "labour.wage_arrears"),
    ("社保能不能自己查", "service.member_app", "labour.social_insurance"),
)
"""What members wrote lately that another model answers otherwise."""
