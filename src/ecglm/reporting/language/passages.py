"""Steps of `recommendations` in German and Chinese, by their English text."""

from collections.abc import Mapping
from types import MappingProxyType

PASSAGES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "Have the rhythm confirmed on the ECG by a clinician and the stroke risk assessed.":
        ("Den Rhythmus ärztlich im EKG bestätigen und das Schlaganfallrisiko abschätzen lassen.",
         "请临床医师在心电图上确认节律并评估卒中风险。"),
    "Have the degree of block determined; second and third degree need prompt review for reversible causes and pacing.":
        ("Den Grad des Blocks bestimmen lassen; Grad II und III erfordern eine rasche Klärung umkehrbarer Ursachen und der "
         "Stimulation.", "请确定阻滞程度；二度和三度阻滞需尽快评估可逆原因和起搏治疗。"),
    "With chest pain or equivalent symptoms treat as an emergency; repeat the ECG and compare it with earlier ones.":
        ("Bei Brustschmerz oder gleichwertigen Beschwerden als Notfall behandeln; EKG wiederholen und mit früheren vergleichen.",
         "如有胸痛或类似症状，按急症处理；复查心电图并与既往比较。"),
    "Have QT measured by hand, and medicines and electrolytes reviewed.":
        ("QT von Hand nachmessen, Medikamente und Elektrolyte prüfen lassen.", "请人工测量 QT，并核查用药和电解质。"),
    "Ask a cardiologist about risk assessment of the accessory pathway.":
        ("Die Risikoabschätzung der akzessorischen Bahn kardiologisch klären.", "请心脏科医师评估旁道的风险。"),
})
