"""Words of the benchmark's hotline: enough of them, common and rare, for texts that hardly repeat.

Everybody and every firm in it is made up; firms say 示例.
"""

from __future__ import annotations

from random import Random


def _listed(text: str) -> list[str]:
    return text.split()


SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂建国华文辉玲红梅鹏飞波斌宇浩凯健俊帆雪慧琳"
    "晨阳嘉佳欣怡婷雯倩颖洁萍莉春生金凤玉龙海燕志永福贵宝山东林森洪良民富全保庆祥成利长发新根树"
    "忠诚信义仁礼智德才学思源远航"
)
DISTRICTS = _listed("历下区 市中区 槐荫区 天桥区 历城区 长清区 章丘区 济阳区 莱芜区 钢城区 平阴县 商河县")
TRADES = _listed(
    "建筑劳务 装饰工程 餐饮管理 物业服务 机械制造 电子科技 服装 食品加工 物流运输 家政服务 "
    "保洁服务 快递配送 纺织 化工材料 汽车配件 园林绿化 教育咨询 医疗器械 酒店管理 商贸 印刷包装 "
    "钢结构 防水工程 网络科技 人力资源"
)
TOPICS = {
    "labour.wage_arrears": (
        "labour_dispute",
        "拖欠工资 工头跑了找不到人 只发了一半说等甲方结款 包工头打了欠条 年底才肯结账 "
        "工资表上签了字没见钱 押了两个月工资 老板说没钱让再等等 结算单一直不给盖章 "
        "计件单价说变就变",
    ),
    "labour.overtime": (
        "labour_dispute",
        "每天干到晚上九点没有加班费 周末也不让休息 法定节假日只给调休 考勤机的记录被改过 "
        "打卡截图都留着 两班倒连着上了二十天 加班要自己填申请不填不算",
    ),
    "labour.work_injury": (
        "labour_dispute",
        "从脚手架上摔下来 手指被冲床轧伤 上班路上被电动车撞了 单位不给报工伤 医药费是自己垫的 "
        "诊断证明写的是骨折 工友可以作证 烫伤面积不小 噪声大听力下降了",
    ),
    "labour.other": (
        "labour_dispute",
        "没有签劳动合同 试用期满了不给转正 突然被通知不用来了 要求写自愿离职 社保断了三个月 "
        "调到外地的岗位不去就算旷工 扣了押金和工服费 孕期被调岗降薪 年休假一天没休过",
    ),
    "legal.aid": (
        "legal_appointment",
        "想请律师帮忙 仲裁裁决下来单位不执行 材料不知道怎么准备 对方公司注销了 "
        "想问能不能申请法律援助 开庭时间快到了 证人不愿意出面",
    ),
    "tuition.aid": (
        "tuition_aid",
        "孩子今年考上大学 学费凑不齐 低保证刚办下来 爱人长期有病 家里两个孩子上学 "
        "去年申请过金秋助学 通知书已经收到了",
    ),
    "service.hardship": (
        "general",
        "家里遭了火灾 大病住院花光了积蓄 想办困难职工建档 单亲带着孩子 残疾证怎么交材料 房租快交不起了",
    ),
}
"""Topic → the type of its cases, and what is told in them."""
SENTENCES = _listed(
    "希望工会帮忙协调。 白天上班不方便接电话，晚上可以。 工友一共{n}个人都是这样。 "
    "从{m}月份开始的。 去单位找过{n}次都没有结果。 手里有聊天记录和转账截图。 "
    "合同上写的是每月{w}元。 大概有{w}元没有给。 老家是外地的，下个月要回去。 已经打过电话投诉。 "
    "宿舍在{place}附近。 门口保安不让进。 班组长也没拿到。 在{place}的工地干的活。 "
    "想先了解一下流程再决定。"
)
PLACES = _listed(
    "火车站 大学城 高架桥下 体育中心 批发市场 开发区 产业园 医院工地 地铁项目部 老城区 物流园 "
    "湿地公园 码头 水库边 仓库"
)
ANSWERS = _listed(
    "收到了，我先看一下材料。 请问单位全称是什么？ 您方便的话把工资条拍一下发过来。 "
    "已经联系所在街道工会。 明天上午给您回电话。 这个情况可以申请仲裁，时效要注意。 "
    "麻烦说一下入职的日期。"
)


def a_name(random: Random) -> str:
    """A name of two or three characters."""
    return random.choice(SURNAMES) + "".join(random.choices(GIVEN, k=random.choice((1, 2, 2))))


def a_phone(random: Random) -> str:
    """Eleven digits like a mobile number's, but beginning as none does."""
    return f"1000{random.randrange(10_000_000):07d}"


def a_firm(random: Random) -> str:
    """A made-up firm that says so."""
    fore = "".join(random.choices("鑫恒泰瑞盛隆昌顺达通宏宇博雅康安华中天地正和信诚", k=2))
    return f"济南示例{fore}{random.choice(TRADES)}有限公司"


def a_summary(random: Random, topic: str, firm: str, district: str) -> str:
    """What a case is about, in 60 to 120 characters."""
    told = TOPICS[topic][1].split()
    text = f"在{district}{firm}上班，{random.choice(told)}，{random.choice(told)}，"
    while len(text) < 60 or (len(text) < 100 and random.random() < 0.7):
        text += a_sentence(random)
    return text[:120]


def a_sentence(random: Random) -> str:
    """Something members say about any matter."""
    return random.choice(SENTENCES).format(
        n=random.randint(2, 60),
        m=random.randint(1, 12),
        w=random.randint(20, 999) * 10,
        place=random.choice(DISTRICTS) + random.choice(PLACES),
    )
