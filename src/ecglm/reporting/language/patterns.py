"""Sentences that other parts of ecglm say in English, as patterns, with their German and Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """english: a regular expression of the whole sentence; its groups fill the braces of the others."""

    english: str
    german: str
    chinese: str


_LEADS = r"([A-Za-z0-9, ]+)"
_N = r"([-−.\d]+)"

#: Reasons, problems of the signal, rhythm, caveats and evidence.
PATTERNS: tuple[Pattern, ...] = (
    # Why nothing can be measured (signal.quality, signal.measure)
    Pattern("all samples are missing", "alle Abtastwerte fehlen", "全部样本缺失"),
    Pattern(rf"the recording lasts {_N} s, too short: at least {_N} s are needed",
            "die Aufzeichnung dauert {0} s und ist zu kurz: nötig sind mindestens {1} s", "记录仅 {0} s，太短：至少需要 {1} s"),
    Pattern(r"more than 80 % of the samples are missing", "mehr als 80 % der Abtastwerte fehlen", "超过 80 % 的样本缺失"),
    Pattern("constant stretches in every lead: not an ECG", "konstante Abschnitte in jeder Ableitung: kein EKG",
            "每个导联都有恒定段：不是心电图"),
    Pattern("flat line in every lead", "Nulllinie in jeder Ableitung", "所有导联均为平线"),
    Pattern("noise in every lead", "Störungen in jeder Ableitung", "所有导联均有噪声"),
    Pattern("no QRS complexes found", "keine QRS-Komplexe gefunden", "未发现 QRS 波群"),
    Pattern("hum or slow waves without QRS complexes", "Brumm oder langsame Wellen ohne QRS-Komplexe",
            "工频干扰或慢波，无 QRS 波群"),
    Pattern("noise without recognisable QRS complexes", "Störungen ohne erkennbare QRS-Komplexe", "噪声，无可辨认的 QRS 波群"),
    Pattern("steps instead of QRS complexes: not an ECG", "Sprünge statt QRS-Komplexen: kein EKG", "阶跃而非 QRS 波群：不是心电图"),
    Pattern("fewer than two QRS complexes found", "weniger als zwei QRS-Komplexe gefunden", "发现的 QRS 波群少于两个"),
    Pattern("fewer than three QRS complexes found", "weniger als drei QRS-Komplexe gefunden", "发现的 QRS 波群少于三个"),
    # Why one value is missing
    Pattern("no consistent P wave before the QRS", "keine regelmäßige P-Welle vor dem QRS-Komplex", "QRS 波前无稳定 P 波"),
    Pattern("no P wave was found", "keine P-Welle gefunden", "未发现 P 波"),
    Pattern("no room to look for P waves", "kein Platz, um nach P-Wellen zu suchen", "没有寻找 P 波的空间"),
    Pattern(r"P waves can be marked before only (\d+) of (\d+) QRS complexes",
            "P-Wellen sind nur vor {0} von {1} QRS-Komplexen zu erkennen", "仅 {0}/{1} 个 QRS 波前可标出 P 波"),
    Pattern("the QRS edges are not clear", "die Grenzen des QRS-Komplexes sind nicht klar", "QRS 波边界不清"),
    Pattern("the end of the T wave is not clear", "das Ende der T-Welle ist nicht klar", "T 波终点不清"),
    Pattern(r"the net (\w+) is zero in the limb leads", "die Summe von {0} ist in den Extremitätenableitungen null",
            "肢体导联 {0} 净值为零"),
    Pattern(r"the (\w+) wave is too flat in the limb leads: its axis varies by (\d+)° from beat to beat",
            "die {0}-Welle ist in den Extremitätenableitungen zu flach: ihre Achse schwankt um {1}° von Schlag zu Schlag",
            "肢体导联 {0} 波过于低平：其电轴逐搏变化 {1}°"),
    Pattern("the amplitudes of this record are normalized, so leads cannot be compared",
            "die Amplituden sind normiert, die Ableitungen daher nicht vergleichbar", "幅度已归一化，导联之间无法比较"),
    Pattern("the amplitudes of this record are normalized: there are no millivolts",
            "die Amplituden sind normiert: Millivolt gibt es nicht", "幅度已归一化：没有毫伏值"),
    Pattern("two readable limb leads are needed", "zwei lesbare Extremitätenableitungen sind nötig", "需要两个可读的肢体导联"),
    Pattern(r"lead (\S+) is needed", "Ableitung {0} ist nötig", "需要 {0} 导联"),
    Pattern("the lead is not readable", "die Ableitung ist nicht lesbar", "该导联不可读"),
    Pattern("the samples are missing", "die Abtastwerte fehlen", "样本缺失"),
    Pattern("not measured by the version that wrote this", "von der schreibenden Version nicht gemessen", "写入该文件的版本未测量"),
    Pattern(r"the limb leads contradict one another \(Einthoven's law\): their gains differ or they are mislabelled",
            "die Extremitätenableitungen widersprechen einander (Einthoven): verschiedene Verstärkung oder falsch benannt",
            "肢体导联相互矛盾（Einthoven 定律）：增益不同或标记错误"),
    Pattern(r"the limb leads contradict one another \(Einthoven's law\)(?: at any scale)?",
            "die Extremitätenableitungen widersprechen einander (Einthoven)", "肢体导联相互矛盾（Einthoven 定律）"),
    Pattern("the limb leads do not share one amplitude scale; leads I, II and III are needed to find it",
            "die Extremitätenableitungen haben keinen gemeinsamen Maßstab; nötig sind I, II und III",
            "肢体导联没有共同的幅度刻度；需要 I、II、III 导联"),
    # Problems of leads (signal.causes)
    Pattern(r"the limb leads have different gains \(Einthoven's law\)",
            "die Extremitätenableitungen sind verschieden verstärkt (Einthoven)", "肢体导联增益不同（Einthoven 定律）"),
    Pattern(r"the limb leads look reversed \((.+?)\)", "Extremitätenelektroden wohl vertauscht ({0})", "肢体导联似接反（{0}）"),
    Pattern(r"the limb leads look reversed \((.+?)\), or the heart lies on the right \(dextrocardia\)",
            "Extremitätenelektroden wohl vertauscht ({0}), oder das Herz liegt rechts (Dextrokardie)",
            "肢体导联似接反（{0}），或为右位心"),
    Pattern(r"the limb leads may be reversed \((.+?)\)", "Extremitätenelektroden vielleicht vertauscht ({0})",
            "肢体导联可能接反（{0}）"),
    Pattern(r"the limb leads may be reversed \((.+?)\), or the heart lies on the right \(dextrocardia\)",
            "Extremitätenelektroden vielleicht vertauscht ({0}), oder das Herz liegt rechts (Dextrokardie)",
            "肢体导联可能接反（{0}），或为右位心"),
    Pattern(r"the chest leads look swapped \((\S+) reversed\)", "Brustwandelektroden wohl vertauscht ({0} in umgekehrter Folge)",
            "胸导联似接错（{0} 顺序颠倒）"),
    Pattern(r"the chest leads look swapped \((.+?)\)", "Brustwandelektroden wohl vertauscht ({0})", "胸导联似接错（{0}）"),
    Pattern(r"the chest leads may be swapped \((\S+) reversed\)",
            "Brustwandelektroden vielleicht vertauscht ({0} in umgekehrter Folge)", "胸导联可能接错（{0} 顺序颠倒）"),
    Pattern(r"the chest leads may be swapped \((.+?)\)", "Brustwandelektroden vielleicht vertauscht ({0})", "胸导联可能接错（{0}）"),
    Pattern(r"lead (\S+) is upside down, by the other limb leads",
            "Ableitung {0} steht nach den anderen Extremitätenableitungen auf dem Kopf", "据其他肢体导联，{0} 导联上下颠倒"),
    Pattern(r"lead (\S+) is another lead, by the other limb leads",
            "Ableitung {0} ist nach den anderen Extremitätenableitungen eine andere", "据其他肢体导联，{0} 导联标记错误"),
    Pattern(rf"lead (\S+) is {_N} times as high as the other limb leads say",
            "Ableitung {0} ist {1}-mal so hoch wie nach den anderen Extremitätenableitungen", "{0} 导联为其他肢体导联推算值的 {1} 倍"),
    Pattern(rf"missing samples in {_LEADS}", "fehlende Abtastwerte in {0}", "{0} 样本缺失"),
    Pattern(rf"flat line in (\S+) from {_N} to {_N} s", "Nulllinie in {0} von {1} bis {2} s", "{0} 在 {1} 至 {2} s 为平线"),
    Pattern(rf"flat line in {_LEADS}", "Nulllinie in {0}", "{0} 为平线"),
    Pattern(rf"constant level at a rail, electrode off, in {_LEADS}", "Anschlag des Verstärkers, Elektrode ab, in {0}",
            "{0} 恒定于放大器极限，电极脱落"),
    Pattern(rf"clipped peaks in {_LEADS}", "abgeschnittene Spitzen in {0}", "{0} 波峰削顶"),
    Pattern(rf"no heart beats, electrode off, in {_LEADS}", "keine Herzschläge, Elektrode ab, in {0}", "{0} 无心搏，电极脱落"),
    Pattern(rf"(\d+)-Hz mains hum in {_LEADS}", "Netzbrumm von {0} Hz in {1}", "{1} 有 {0} Hz 工频干扰"),
    Pattern(rf"mains hum in {_LEADS}", "Netzbrumm in {0}", "{0} 有工频干扰"),
    Pattern(rf"muscle noise in {_LEADS}", "Muskelzittern in {0}", "{0} 有肌电干扰"),
    Pattern(rf"baseline wander in {_LEADS}", "Schwankung der Grundlinie in {0}", "{0} 基线漂移"),
    Pattern(rf"QRS of (\d+) mV in {_LEADS}: wrong gain", "QRS von {0} mV in {1}: falsche Verstärkung", "{1} QRS 达 {0} mV：增益错误"),
    Pattern(rf"no QRS higher than {_N} mV: wrong gain", "kein QRS höher als {0} mV: falsche Verstärkung",
            "QRS 均不高于 {0} mV：增益错误"),
    Pattern(r"QRS in (\S+) (\d+) times as high as in the leads beside it: wrong gain",
            "QRS in {0} {1}-mal so hoch wie daneben: falsche Verstärkung", "{0} 的 QRS 为相邻导联的 {1} 倍：增益错误"),
    # Parts of rhythm statements (signal.rhythm)
    Pattern("regular", "regelmäßig", "规则"),
    Pattern("irregularly irregular", "absolut unregelmäßig", "绝对不规则"),
    Pattern("irregular with premature beats", "unregelmäßig durch vorzeitige Schläge", "因早搏而不规则"),
    Pattern("one premature beat", "ein vorzeitiger Schlag", "一次早搏"),
    Pattern("slightly irregular", "etwas unregelmäßig", "略不规则"),
    Pattern("irregular", "unregelmäßig", "不规则"),
    Pattern(r"(\d+)(?:/min| bpm)", "{0}/min", "{0}/min"),
    Pattern("no consistent P waves", "keine regelmäßigen P-Wellen", "无稳定 P 波"),
    Pattern("P wave before every QRS", "P-Welle vor jedem QRS", "每个 QRS 波前均有 P 波"),
    Pattern("P wave before most QRS", "P-Welle vor den meisten QRS", "多数 QRS 波前有 P 波"),
    Pattern(r"(\d+) of (\d+) beats of another shape", "{0} von {1} Schlägen anders geformt", "{0}/{1} 个心搏形态不同"),
    Pattern(r"1 pause", "1 Pause", "1 次长间歇"),
    Pattern(r"(\d+) pauses", "{0} Pausen", "{0} 次长间歇"),
    # Caveats (inference.caveats) and evidence (inference.model)
    Pattern(rf"judged on the first {_N} s of (\d+) s", "beurteilt sind die ersten {0} s von {1} s", "仅依据前 {0} s 判读，全长 {1} s"),
    Pattern(r"the patient is (\d+) years old: normal ranges and findings here are those of adults",
            "die Person ist {0} Jahre alt: Bereiche und Befunde gelten hier für Erwachsene",
            "患者 {0} 岁：此处的正常范围和发现均针对成人"),
    Pattern("a pacemaker rhythm is called present: infarction, ST-T and hypertrophy cannot be judged from paced beats",
            "ein Schrittmacherrhythmus gilt als vorhanden: Infarkt, ST-T und Hypertrophie sind so nicht zu beurteilen",
            "判定为起搏心律：起搏心搏不能用于判断梗死、ST-T 和肥大"),
    Pattern("a pacemaker rhythm is called present: pacing itself widens the QRS, which then says nothing of conduction",
            "ein Schrittmacherrhythmus gilt als vorhanden: Stimulation verbreitert den QRS-Komplex von selbst",
            "判定为起搏心律：起搏本身使 QRS 增宽，不能说明传导情况"),
    Pattern(r"QRS of (\d+) ms: bundle branch block, or a pacemaker, which is hardly ever recognised here, gives such Q waves, ST, T "
            "and voltages too", "QRS von {0} ms: Auch ein Schenkelblock oder ein hier kaum je erkannter Schrittmacher ergibt solche "
            "Q-Zacken, ST, T und Amplituden", "QRS 为 {0} ms：束支传导阻滞，或此处几乎无法识别的起搏器，也可造成这样的 Q 波、ST、T 和电压"),
    Pattern(r"QRS of (\d+) ms: a pacemaker, which is hardly ever recognised here, widens it as bundle branch block does",
            "QRS von {0} ms: Ein hier kaum je erkannter Schrittmacher verbreitert ihn wie ein Schenkelblock",
            "QRS 为 {0} ms：此处几乎无法识别的起搏器与束支传导阻滞一样使其增宽"),
    Pattern(r"QTc depends on the formula at (\d+) bpm: Bazett (\d+) ms, ([a-z ]+); Fridericia (\d+) ms, ([a-z ]+)",
            "QTc hängt bei {0}/min von der Formel ab: Bazett {1} ms, {2}; Fridericia {3} ms, {4}",
            "心率 {0}/min 时 QTc 取决于公式：Bazett {1} ms，{2}；Fridericia {3} ms，{4}"),
    # What an adapter was taught (inference.adapt)
    Pattern(r"cross-validated (\d+) % right \(([-\d]+) %\), chance (\d+) %", "kreuzvalidiert {0} % richtig ({1} %), Zufall {2} %",
            "交叉验证 {0} % 正确（{1} %），随机水平 {2} %"),
    Pattern(r"heart rate (\d+) bpm", "Herzfrequenz {0}/min", "心率 {0}/min"),
    Pattern(r"RR standard deviation (\d+) ms", "RR-Standardabweichung {0} ms", "RR 标准差 {0} ms"),
    Pattern(r"P wave before (\d+) % of the QRS complexes", "P-Welle vor {0} % der QRS-Komplexe", "{0} % 的 QRS 波前有 P 波"),
    Pattern("rests most on lead", "stützt sich am meisten auf Ableitung", "主要依据导联"),
)
