"""What was seen of an ECG page and what had to be assumed (`ecglm.paper.digitize`), clause by clause, with its German and Chinese."""

from __future__ import annotations

from ecglm.reporting.language.patterns import Pattern

_N = r"([-−.\d]+)"

PAGE_PATTERNS: tuple[Pattern, ...] = (
    Pattern(rf"read off an image of a page \((\S+), {_N} mm/s, {_N} mm/mV\), confidence (\d+) % \(lowest (\S+): (\d+) %\)",
            "aus dem Bild einer Seite gelesen ({0}, {1} mm/s, {2} mm/mV), Sicherheit {3} % (am geringsten {4}: {5} %)",
            "由页面图像读出（{0}，{1} mm/s，{2} mm/mV），可信度 {3} %（最低 {4}：{5} %）"),
    Pattern("lead names are by the usual order of the layout", "die Namen der Ableitungen folgen der üblichen Anordnung",
            "导联名按常见布局顺序"),
    Pattern("they could not be read on the page", "auf der Seite waren sie nicht zu lesen", "页面上无法读出"),
    Pattern(rf"no calibration pulse was seen: {_N} mm/mV is assumed", "keine Eichzacke zu sehen: {0} mm/mV angenommen",
            "未见定标脉冲：假定为 {0} mm/mV"),
    Pattern(rf"paper speed {_N} mm/s is assumed", "Papiervorschub {0} mm/s angenommen", "走纸速度假定为 {0} mm/s"),
    Pattern(rf"the paper speed was not read but worked out: the calibration pulse is about {_N} mm wide, which is {_N} mm/s if it "
            "lasts the usual 200 ms", "der Papiervorschub wurde nicht gelesen, sondern berechnet: die Eichzacke ist etwa {0} mm breit, "
            "das sind {1} mm/s, falls sie die üblichen 200 ms dauert",
            "走纸速度并非读出，而是推算：定标脉冲宽约 {0} mm，若时限为通常的 200 ms，即 {1} mm/s"),
    Pattern(rf"the calibration pulse says {_N} mm/mV, read at {_N} as asked",
            "die Eichzacke zeigt {0} mm/mV, gelesen wie verlangt mit {1}", "定标脉冲为 {0} mm/mV，按要求以 {1} 读取"),
    Pattern(rf"the calibration pulse says {_N} mm/mV, the text {_N}: the pulse is believed",
            "die Eichzacke zeigt {0} mm/mV, der Text {1}: es gilt die Eichzacke", "定标脉冲为 {0} mm/mV，文字为 {1}：以脉冲为准"),
    Pattern(rf"{_N} mm/s is printed, the width of the calibration pulse says {_N}: the text is believed",
            "gedruckt sind {0} mm/s, nach der Breite der Eichzacke wären es {1}: es gilt der Text",
            "印有 {0} mm/s，按定标脉冲宽度为 {1}：以文字为准"),
    Pattern(rf"read at {_N} mm/s as asked", "gelesen wie verlangt mit {0} mm/s", "按要求以 {0} mm/s 读取"),
    Pattern(rf"the page says {_N}", "die Seite nennt {0}", "页面标为 {0}"),
    Pattern(rf"at {_N} mm/s the heart rate is (\d+)/min and QRS (\d+) ms", "bei {0} mm/s ist die Herzfrequenz {1}/min und QRS {2} ms",
            "按 {0} mm/s 心率为 {1}/min，QRS 为 {2} ms"),
    Pattern(rf"if the paper ran at {_N} mm/s they are (\d+)/min and (\d+) ms: look for the speed on the page and give it",
            "lief das Papier mit {0} mm/s, sind es {1}/min und {2} ms: den Vorschub auf der Seite suchen und angeben",
            "若走纸速度为 {0} mm/s，则为 {1}/min 和 {2} ms：请在页面上查找速度并给出"),
    Pattern(r"(\d+) rows are taken for 3x4 leads", "{0} Zeilen gelten als 3x4 Ableitungen", "{0} 行视为 3x4 导联"),
    Pattern(r"(\d+) rows are taken for 3x4 leads and (?:three )?rhythm strips",
            "{0} Zeilen gelten als 3x4 Ableitungen und Rhythmusstreifen", "{0} 行视为 3x4 导联和节律条图"),
    Pattern("7 rows are taken for 6x2 leads and a rhythm strip", "7 Zeilen gelten als 6x2 Ableitungen und ein Rhythmusstreifen",
            "7 行视为 6x2 导联和一条节律条图"),
    Pattern(r"the traces are (\d+) mm long, not 250: where one lead ends and the next begins is assumed",
            "die Kurven sind {0} mm lang, nicht 250: wo Ableitungen enden und beginnen, ist angenommen",
            "曲线长 {0} mm，而非 250：导联间的分界为假定"),
    Pattern("a row below the others was left out: it repeats none of the leads",
            "eine Zeile unter den anderen ist ausgelassen: sie wiederholt keine Ableitung", "略去下方一行：未重复任何导联"),
    Pattern(r"a row below the others was left out: it is most like lead (\S+), whose strip was read already",
            "eine Zeile unter den anderen ist ausgelassen: sie gleicht am meisten Ableitung {0}, deren Streifen schon gelesen ist",
            "略去下方一行：最像已读取节律条图的 {0} 导联"),
    Pattern(r"(\S+) is printed turned over and was turned back", "{0} ist umgekehrt gedruckt und wurde zurückgedreht",
            "{0} 导联倒置印刷，已翻回"),
    Pattern(r"a rhythm strip is taken for lead (\S+), the usual one", "ein Rhythmusstreifen gilt als Ableitung {0}, die übliche",
            "一条节律条图按惯例视为 {0} 导联"),
    Pattern("neither its name nor its shape says so", "weder Name noch Form zeigen es", "其名称和形态均未表明"),
    Pattern(r"looked at only: the page could not be read back \((.+)\), so nothing was measured, and looking alone is trusted less: "
            rf"confidences are multiplied by {_N}",
            "nur angesehen: die Seite ließ sich nicht zurücklesen ({0}), darum wurde nichts gemessen; dem bloßen Ansehen wird weniger "
            "vertraut, Sicherheiten sind mit {1} malgenommen",
            "仅查看：页面无法读回（{0}），因此未作测量；仅凭查看可信度较低，各可信度已乘以 {1}"),
    Pattern("its traces cannot be followed surely enough", "ihre Kurven lassen sich nicht sicher genug verfolgen", "曲线无法可靠追踪"),
    Pattern(rf"its traces cannot be followed surely enough \(confidence {_N}\)",
            "ihre Kurven lassen sich nicht sicher genug verfolgen (Sicherheit {0})", "曲线无法可靠追踪（可信度 {0}）"),
    Pattern(r"(\d+) rows in (\d+) columns are not a layout whose leads are known",
            "{0} Zeilen in {1} Spalten sind keine Anordnung, deren Ableitungen bekannt sind", "{0} 行 {1} 列不是导联已知的布局"),
    Pattern(r"the names that were read on it are not those of (\d+) rows in (\d+) columns",
            "die gelesenen Namen sind nicht die von {0} Zeilen in {1} Spalten", "读出的导联名与 {0} 行 {1} 列不符"),
    Pattern(r"its traces are (\d+) mm long, not 250, and no names are read that say where each lead begins",
            "ihre Kurven sind {0} mm lang, nicht 250, und keine gelesenen Namen zeigen, wo jede Ableitung beginnt",
            "曲线长 {0} mm，而非 250，且未读出可示各导联起点的名称"),
    Pattern(r"page (\d+) of (\d+) was read", "gelesen wurde Seite {0} von {1}", "读取第 {0} 页，共 {1} 页"),
    Pattern("turned upright as its EXIF data say", "nach den EXIF-Angaben aufgerichtet", "已按 EXIF 数据转正"),
)
