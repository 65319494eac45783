"""Steps of `recommendations` in German and Chinese, by entry of the knowledge base; own sentences, reviewed by no physician."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Passage(NamedTuple):
    """of: beginning of the SHA-256 of the English text that is translated: once that changes, the translation is out of date."""

    of: str
    german: str
    chinese: str


PASSAGES: Mapping[str, Passage] = MappingProxyType({
    "action.repeat-ecg": Passage(
        "d29eae7d",
        "Scheinen Elektroden vertauscht oder ist das Signal schlecht, Elektroden, Kabel, Filter und Verstärkung "
        "prüfen und das EKG erneut aufzeichnen, bevor es beurteilt wird.",
        "若电极似接错或信号质量差，请检查电极、导线、滤波和增益，并在解读前重新记录心电图。"),
    "action.af-stroke-risk": Passage(
        "b2b4540b",
        "Den Rhythmus ärztlich im EKG bestätigen und das Schlaganfallrisiko abschätzen lassen.",
        "请临床医师在心电图上确认节律并评估卒中风险。"),
    "action.af-workup": Passage(
        "10987001",
        "Die erste Abklärung bei Vorhofflimmern umfasst nach der Leitlinie Vorgeschichte und Begleiterkrankungen, "
        "eine Echokardiographie, wo sie die Behandlung leitet, und Blutwerte einschließlich Schilddrüse, Niere "
        "und Elektrolyten. Die Behandlung gilt dann Begleiterkrankungen und Risikofaktoren, der Vorbeugung von "
        "Schlaganfällen sowie Frequenz und Rhythmus.",
        "指南对心房颤动的初始评估包括病史和合并症、对治疗有指导意义时的超声心动图，以及包括甲状腺功能、肾功能和电"
        "解质的血液检查。随后的治疗针对合并症和危险因素、卒中预防以及心率和节律控制。"),
    "action.pac": Passage(
        "eed10e29",
        "Einzelne supraventrikuläre Extrasystolen verlangen meist nur eine Beruhigung. Sind sie sehr häufig, wird "
        "mit längerer Aufzeichnung nach Vorhofflimmern und nach einer strukturellen Herzkrankheit gesucht.",
        "孤立的房性早搏通常只需解释安慰。若非常频发，应通过更长时间的监测查找心房颤动，并查找结构性心脏病。"),
    "action.svt": Passage(
        "80bdb71c",
        "Während der Tachykardie ein EKG mit 12 Ableitungen aufzeichnen. Bei instabilem Kreislauf verlangt die "
        "Leitlinie die sofortige synchronisierte Kardioversion; bei stabiler regelmäßiger Tachykardie mit "
        "schmalem QRS-Komplex beginnt sie mit vagalen Manövern, dann Adenosin unter Überwachung.",
        "心动过速发作时请记录 12 导联心电图。血流动力学不稳定时，指南要求立即同步电复律；稳定、规则的窄 QR"
        "S 心动过速先用迷走神经刺激法，再在监护下使用腺苷。"),
    "action.lvh": Passage(
        "0b7fdbcf",
        "Den Blutdruck messen und das Herz echokardiographisch untersuchen lassen; die Echokardiographie zeigt "
        "Hypertrophie und ihre Ursache genauer als das EKG.",
        "请测量血压并行超声心动图检查；超声心动图显示肥厚及其病因比心电图更准确。"),
    "action.hcm": Passage(
        "3b8458ce",
        "Der Verdacht auf eine Kardiomyopathie verlangt Familienanamnese, Echokardiographie und meist "
        "Magnetresonanztomographie des Herzens sowie die Vorstellung in der Kardiologie.",
        "疑似心肌病时需询问家族史，行超声心动图，多数还需心脏磁共振检查，并转诊心脏科。"),
    "action.rvh": Passage(
        "330eb9f9",
        "Zeichen der rechtsventrikulären Hypertrophie mit Atemnot wecken den Verdacht auf eine pulmonale "
        "Hypertonie; die Echokardiographie ist die nächste Untersuchung.",
        "右心室肥大征象伴气促提示可能有肺动脉高压，下一步检查为超声心动图。"),
    "action.lae": Passage(
        "8b00b230",
        "Eine Auffälligkeit des linken Vorhofs im EKG ist ein Anlass, nach Bluthochdruck, Klappenfehlern und "
        "Herzinsuffizienz zu suchen, meist echokardiographisch, und auf Vorhofflimmern zu achten.",
        "心电图示左心房异常时，应查找高血压、瓣膜病和心力衰竭，多用超声心动图，并注意有无心房颤动。"),
    "action.lvolt": Passage(
        "be7f3ec0",
        "Bei neuer niedriger Voltage, vor allem mit schneller Frequenz oder Atemnot, einen Perikarderguss "
        "echokardiographisch ausschließen lassen. Niedrige Voltage bei dicken Kammerwänden weckt den Verdacht auf "
        "eine Amyloidose.",
        "新出现的低电压，尤其伴心率快或气促时，请用超声心动图排除心包积液。低电压合并心室壁增厚应怀疑淀粉样变性。"),
    "action.electrolytes": Passage(
        "e40f1951",
        "Kalium, Kalzium und Magnesium sofort bestimmen lassen. Eine Hyperkaliämie mit EKG-Veränderungen ist ein "
        "Notfall, der ohne Verzug unter Überwachung behandelt wird.",
        "请立即检测血钾、血钙和血镁。伴心电图改变的高钾血症属急症，应在监护下立即治疗。"),
    "action.pericarditis": Passage(
        "a21b0ad6",
        "Der Verdacht auf eine Perikarditis verlangt EKG, Echokardiographie, Röntgenbild des Thorax und Blutwerte "
        "mit Zeichen der Entzündung und der Myokardschädigung; zuerst wird ein Infarkt ausgeschlossen.",
        "疑似心包炎时需行心电图、超声心动图、胸部 X 线以及包括炎症和心肌损伤标志物的血液检查，并首先排除梗死。"),
    "action.pulmonary-embolism": Passage(
        "cdaebe92",
        "Der Verdacht auf eine Lungenembolie wird nach klinischer Wahrscheinlichkeit mit D-Dimer oder CT- "
        "Angiographie geklärt, bei instabilem Kreislauf sofort; das EKG beweist sie nicht und schließt sie nicht "
        "aus.",
        "疑似肺栓塞应按临床可能性用 D-二聚体或 CT 血管造影评估，病情不稳定时立即进行；心电图既不能证实也不"
        "能排除。"),
    "action.compare-ecg": Passage(
        "f5ae7dd4",
        "Der Vergleich mit einem früheren EKG zeigt, ob ein Befund neu ist; ein neuer wiegt schwerer als ein "
        "alter.",
        "与既往心电图比较可判断某项发现是否为新出现；新发现比旧发现更重要。"),
    "action.conduction": Passage(
        "7ab085e3",
        "Nach Synkopen, Schwindel und Atemnot fragen, mit früheren EKG vergleichen und Medikamente prüfen, die "
        "die Leitung verlangsamen. Ein neu gefundener Linksschenkelblock ist ein Anlass zur Echokardiographie; bei "
        "anderen Verzögerungen in den Kammern ist sie sinnvoll, wenn eine strukturelle Herzkrankheit vermutet wird.",
        "请询问有无晕厥、头晕和气促，与既往心电图比较，并核查减慢传导的药物。新发现的左束支传导阻滞应行超声心动图检查；"
        "其他心室内传导延迟在疑有结构性心脏病时，行此检查是合理的。"),
    "action.lbbb": Passage(
        "512fb693",
        "Bei neu entdecktem Linksschenkelblock empfiehlt die Leitlinie eine transthorakale Echokardiographie, um "
        "nach einer strukturellen Herzkrankheit zu suchen. Mit Beschwerden einer Ischämie gilt er als Lage mit "
        "hohem Risiko; bei Synkope wird nach einem höhergradigen AV-Block gesucht.",
        "新发现左束支传导阻滞时，指南建议行经胸超声心动图以查找结构性心脏病。伴缺血症状时按高危情况处理；伴晕厥时"
        "应查找高度房室传导阻滞。"),
    "action.rbbb": Passage(
        "612dac73",
        "Ein alleiniger Rechtsschenkelblock ohne Beschwerden bedarf meist keiner Behandlung. Ist er neu und mit "
        "Brustschmerz oder Atemnot verbunden, wird an akute Ischämie und Lungenembolie gedacht; bei Synkope wird "
        "nach einem zeitweiligen AV-Block gesucht.",
        "孤立性右束支传导阻滞若无症状，通常无需治疗。若为新发并伴胸痛或气促，应考虑急性缺血和肺栓塞；若伴晕厥，应"
        "查找间歇性房室传导阻滞。"),
    "action.fascicular-block": Passage(
        "30a028b7",
        "Ein alleiniger faszikulärer Block ohne Beschwerden bedarf keiner besonderen Behandlung. Zusammen mit "
        "Rechtsschenkelblock und Synkope wird nach einem zeitweiligen höhergradigen AV-Block gesucht.",
        "孤立性分支阻滞若无症状，无需特殊治疗。若合并右束支传导阻滞和晕厥，应查找间歇性高度房室传导阻滞。"),
    "action.bifascicular-block": Passage(
        "67334388",
        "Bei ungeklärter Synkope mit bifaszikulärem Block erwägt die Leitlinie eine elektrophysiologische "
        "Untersuchung, einen implantierbaren Ereignisrekorder oder bei Ausgewählten eine Stimulation. Ohne "
        "Beschwerden wird eine Stimulation für den bifaszikulären Block allein nicht empfohlen.",
        "不明原因晕厥合并双分支阻滞时，指南考虑电生理检查、植入式循环记录仪，或对部分患者起搏治疗。无症状时，不推"
        "荐仅因双分支阻滞而起搏。"),
    "action.av-block": Passage(
        "95f82f41",
        "Den Grad des Blocks bestimmen lassen; Grad II und III erfordern eine rasche Klärung umkehrbarer Ursachen "
        "und der Stimulation.",
        "请确定阻滞程度；二度和三度阻滞需尽快评估可逆原因和起搏治疗。"),
    "action.first-degree-av-block": Passage(
        "10b5fb64",
        "Ein AV-Block ersten Grades ohne Beschwerden bedarf keiner Behandlung; Medikamente prüfen, die den AV- "
        "Knoten verlangsamen, und auf ein Fortschreiten achten, wenn auch der QRS-Komplex breit ist.",
        "一度房室传导阻滞若无症状，无需治疗；请核查减慢房室结传导的药物；若 QRS 波也增宽，应注意是否进展。"),
    "action.mobitz-1": Passage(
        "4bc034be",
        "Ein AV-Block vom Typ Mobitz I ohne Beschwerden wird meist beobachtet; eine Stimulation wird erwogen, "
        "wenn er Beschwerden macht oder nachweislich im His-Bündel oder darunter liegt.",
        "莫氏 I 型房室传导阻滞若无症状，通常观察；若引起症状，或证实阻滞位于希氏束内或其以下，则考虑起搏。"),
    "action.mobitz-2": Passage(
        "d726cc13",
        "Ein erworbener AV-Block vom Typ Mobitz II, ein höhergradiger oder ein drittgradiger AV-Block ohne "
        "umkehrbare Ursache ist unabhängig von Beschwerden ein Grund für eine dauerhafte Stimulation; bis dahin "
        "wird überwacht.",
        "获得性莫氏 II 型、高度或三度房室传导阻滞，若非可逆原因所致，无论有无症状均为永久起搏指征；在此之前应"
        "监护患者。"),
    "action.wpw": Passage(
        "e14b8e70",
        "Die Risikoabschätzung der akzessorischen Bahn kardiologisch klären.",
        "请心脏科医师评估旁道的风险。"),
    "action.acs": Passage(
        "3f860e59",
        "Bei Brustschmerz oder gleichwertigen Beschwerden als Notfall behandeln; EKG wiederholen und mit früheren "
        "vergleichen.",
        "如有胸痛或类似症状，按急症处理；复查心电图并与既往比较。"),
    "action.first-ecg": Passage(
        "443fce43",
        "Bei Verdacht auf ein akutes Koronarsyndrom verlangt die Leitlinie ein EKG mit 12 Ableitungen, "
        "aufgezeichnet und beurteilt binnen 10 Minuten nach dem ersten ärztlichen Kontakt, und Wiederholungen, "
        "wenn es nichts entscheidet oder die Beschwerden wiederkehren. Bei inferiorem Infarkt oder Verdacht auf "
        "einen posterioren kommen die Ableitungen V3R, V4R und V7 bis V9 hinzu.",
        "疑似急性冠脉综合征时，指南要求在首次医疗接触后 10 分钟内记录并解读 12 导联心电图；结果不明确或症"
        "状复发时应复查。下壁梗死或疑似后壁梗死时加做 V3R、V4R 以及 V7 至 V9 导联。"),
    "action.old-mi": Passage(
        "4075309b",
        "Q-Zacken ohne bekannten Infarkt werden mit früheren EKG verglichen und auf Nachahmer geprüft; die "
        "Echokardiographie zeigt, ob eine Narbe und eine verminderte Kammerfunktion bestehen.",
        "无已知梗死病史的 Q 波应与既往心电图比较，并排查类似表现；超声心动图可显示有无瘢痕和心室功能下降。"),
    "action.sinus-tachycardia": Passage(
        "2f540302",
        "Nach einer Ursache der Sinustachykardie suchen und diese behandeln, nicht die Frequenz selbst.",
        "请查找窦性心动过速的原因，并针对原因处理，而非针对心率本身。"),
    "action.sinus-bradycardia": Passage(
        "1030c081",
        "Die langsame Frequenz auf Beschwerden wie Synkope, Schwindel oder Atemnot beziehen und umkehrbare "
        "Ursachen und Medikamente prüfen. Bei Sinusbradykardie ohne Beschwerden ist eine Stimulation im "
        "Allgemeinen nicht angezeigt.",
        "请将心率慢与晕厥、头晕或气促等症状相联系，并核查可逆原因和用药。无症状的窦性心动过缓一般无起搏指征。"),
    "action.pause": Passage(
        "09c7b42b",
        "Nach Beschwerden zur Zeit der Pause fragen, nach blockierten supraventrikulären Extrasystolen suchen und "
        "Medikamente prüfen, die Sinus- oder AV-Knoten verlangsamen. Pausen mit Beschwerden bei "
        "Sinusknotenerkrankung verlangen eine kardiologische Meinung zur Stimulation.",
        "请询问停搏时有无症状，查找未下传的房性早搏，并核查减慢窦房结或房室结的药物。窦房结功能障碍所致的有症状停"
        "搏，需心脏科医师就起搏给出意见。"),
    "action.no-action-benign": Passage(
        "30479da6",
        "Als alleiniger Befund ohne Beschwerden ist dies meist eine Normvariante und verlangt für sich keinen "
        "weiteren Schritt.",
        "若为孤立发现且无症状，通常属于正常变异，本身无需进一步处理。"),
    "action.clinical-context": Passage(
        "f0c2705c",
        "Das EKG zusammen mit Beschwerden, Vorgeschichte, Medikamenten und früheren Aufzeichnungen beurteilen; "
        "ein normales EKG schließt eine Krankheit nicht aus, wenn die Beschwerden für sie sprechen.",
        "请结合症状、病史、用药和既往记录解读心电图；若症状提示疾病，正常心电图不能排除疾病。"),
    "action.sttc": Passage(
        "70945550",
        "Mit früheren EKG vergleichen, auf Beschwerden beziehen, Medikamente und Elektrolyte prüfen; bei neuen "
        "Veränderungen mit Beschwerden einer Ischämie wird das EKG wiederholt.",
        "请与既往心电图比较，结合症状，并核查用药和电解质；新出现的改变伴缺血症状时应复查心电图。"),
    "action.digitalis": Passage(
        "b5acf710",
        "Fragen, ob Digoxin eingenommen wird und ob Beschwerden einer Vergiftung bestehen; bei einer neuen "
        "Rhythmusstörung Serumspiegel, Kalium und Nierenfunktion bestimmen lassen.",
        "请询问患者是否服用地高辛以及有无中毒症状；出现新的心律失常时，请检测血药浓度、血钾和肾功能。"),
    "action.long-qt": Passage(
        "5ca237af",
        "QT von Hand nachmessen, Medikamente und Elektrolyte prüfen lassen.",
        "请人工测量 QT，并核查用药和电解质。"),
    "action.brugada": Passage(
        "d9614562",
        "Der Verdacht auf ein Brugada-Muster verlangt erneute EKG mit hohen Brustwandableitungen, das Meiden "
        "auslösender Medikamente, rasche Behandlung von Fieber und die Vorstellung in der Kardiologie, nach "
        "Synkope umgehend.",
        "疑似 Brugada 图形时，需用高位胸导联复查心电图，避免诱发药物，及时退热，并转诊心脏科；晕厥后应紧"
        "急转诊。"),
    "action.pvc": Passage(
        "61b73aac",
        "Bei häufigen oder neu gefundenen ventrikulären Extrasystolen empfiehlt die Leitlinie ein EKG mit 12 "
        "Ableitungen, eine Echokardiographie und eine längere Aufzeichnung des Rhythmus, um ihre Häufigkeit zu "
        "kennen. Ein Anteil über etwa 10 % der Schläge lenkt die Aufmerksamkeit auf die Funktion der linken "
        "Kammer.",
        "对频发或新发现的室性早搏，指南建议行 12 导联心电图、超声心动图和更长时间的节律记录，以了解其负荷。负"
        "荷超过心搏的约 10 % 时，应关注左心室功能。"),
    "action.nsvt": Passage(
        "f62bc8ee",
        "Nicht anhaltende ventrikuläre Tachykardien verlangen die Untersuchung der Herzstruktur und auf Ischämie "
        "sowie den Ausgleich der Elektrolyte; ihr Gewicht hängt von der Grundkrankheit ab.",
        "非持续性室性心动过速需评估心脏结构和缺血，并纠正电解质；其意义取决于基础疾病。"),
    "action.wide-complex-tachycardia": Passage(
        "7cff9e63",
        "Eine Tachykardie mit breitem QRS-Komplex ist ein Notfall, bis das Gegenteil bewiesen ist. Bei instabilem "
        "Kreislauf verlangt die Leitlinie die sofortige synchronisierte Kardioversion; ist der Kreislauf stabil, "
        "wird ein EKG mit 12 Ableitungen aufgezeichnet.",
        "宽 QRS 心动过速在证明并非如此之前均按急症处理。血流动力学不稳定时，指南要求立即同步电复律；患者稳定"
        "时记录 12 导联心电图。"),
    "action.torsades": Passage(
        "2c49515a",
        "Bei Torsade de pointes Medikamente absetzen, die QT verlängern, Kalium und Magnesium ausgleichen und "
        "Magnesium intravenös geben; die Leitlinie nennt bei Rückfällen das Anheben der Frequenz durch "
        "Stimulation oder Isoprenalin und die Defibrillation, wenn sie nicht aufhört.",
        "发生尖端扭转型室速时，停用延长 QT 的药物，纠正血钾和血镁，并静脉给予镁剂；指南还提出，复发时用起搏或"
        "异丙肾上腺素提高心率，不能终止时除颤。"),
    "action.ventricular-fibrillation": Passage(
        "746928e5",
        "Kammerflimmern bei einer nicht ansprechbaren Person verlangt sofortige Wiederbelebung und "
        "Defibrillation. Ist die Person wach und spricht, nach einem Artefakt suchen.",
        "无反应者出现心室颤动时，需立即心肺复苏和除颤。若患者清醒并能说话，应查找伪差。"),
    "action.pacemaker-check": Passage(
        "8effba8d",
        "Stimulation und Wahrnehmung beurteilen; der Verdacht auf eine Fehlfunktion verlangt die Abfrage des "
        "Geräts. Befunde, die auf der Form von QRS, ST und T beruhen, werden bei stimulierten Schlägen mit "
        "Vorsicht gelesen.",
        "请判断起搏夺获和感知；疑似功能异常时需程控询问起搏器。对起搏心搏，基于 QRS、ST 和 T 波形态的发"
        "现应谨慎解读。"),
})
