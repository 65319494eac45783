"""The statements ecglm's encoder can make: SCP-ECG code, name, group, other codes.

Codes and groups follow PTB-XL (Wagner et al. 2020, 10.1038/s41597-020-0495-6): diagnostic
superclasses and subclasses, form and rhythm statements. Names follow ECG-QA's attributes
where it has one. SNOMED CT codes follow the PhysioNet/CinC Challenge 2021 mapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["super_class", "sub_class", "form", "rhythm"]


@dataclass(frozen=True)
class Statement:
    """One statement. `key` is unique ("form:STD"); `snomed` may be empty."""

    key: str
    name: str
    snomed: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """super_class, sub_class, form or rhythm."""
        return self.key.split(":")[0]

    @property
    def code(self) -> str:
        """The SCP-ECG (or PTB-XL class) code."""
        return self.key.split(":")[1]


STATEMENTS: tuple[Statement, ...] = (
    Statement("super_class:HYP", "hypertrophy"),
    Statement("super_class:NORM", "normal ecg", ("426783006",)),
    Statement("super_class:MI", "myocardial infarction", ("164865005",)),
    Statement("super_class:CD", "conduction disturbance"),
    Statement("super_class:STTC", "st/t change"),
    Statement("sub_class:AMI", "anterior myocardial infarction", ("54329005",)),
    Statement("sub_class:LAFB/LPFB", "left fascicular block", ("445118002", "445211001")),
    Statement("sub_class:LVH", "left ventricular hypertrophy", ("164873001",)),
    Statement("sub_class:STTC", "st-t abnormality"),
    Statement("sub_class:IMI", "inferior myocardial infarction", ("73795002",)),
    Statement("sub_class:SEHYP", "septal hypertrophy"),
    Statement("sub_class:CRBBB", "complete right bundle branch block", ("713427006", "59118001")),
    Statement("sub_class:WPW", "wolff-parkinson-white syndrome", ("74390002",)),
    Statement("sub_class:LAO/LAE", "left atrial overload/enlargement", ("67741000119109",)),
    Statement("sub_class:NORM", "normal diagnostic subclass", ()),
    Statement("sub_class:AVB", "av block", ("270492004", "195042002", "27885002")),
    Statement("sub_class:RAO/RAE", "right atrial overload/enlargement", ("446358003",)),
    Statement("sub_class:ISC", "non-specific ischemia", ("164861001",)),
    Statement("sub_class:LMI", "lateral myocardial infarction", ()),
    Statement("sub_class:ISCI", "inferior ischemia", ("425419005",)),
    Statement("sub_class:ISCA", "anterior ischemia", ("426434006",)),
    Statement("sub_class:NST", "non-specific st changes in the diagnosis", ()),
    Statement("sub_class:CLBBB", "complete left bundle branch block", ("733534002", "164909002")),
    Statement("sub_class:ILBBB", "incomplete left bundle branch block", ("251120003",)),
    Statement("sub_class:IRBBB", "incomplete right bundle branch block", ("713426002",)),
    Statement("sub_class:PMI", "posterior myocardial infarction", ()),
    Statement("sub_class:RVH", "right ventricular hypertrophy", ("89792004",)),
    Statement("sub_class:IVCD", "non-specific intraventricular conduction disturbance", ("698252002",)),
    Statement("form:PAC", "atrial premature complex", ("284470004",)),
    Statement("form:DIG", "digitalis effect"),
    Statement("form:HVOLT", "high qrs voltage"),
    Statement("form:STD", "st depression", ("429622005",)),
    Statement("form:LPR", "prolonged pr interval", ("164947007",)),
    Statement("form:QWAVE", "q waves", ("164917005",)),
    Statement("form:VCLVH", "voltage criteria for left ventricular hypertrophy"),
    Statement("form:NDT", "non-diagnostic t abnormalities"),
    Statement("form:TAB", "t-wave abnormality", ("164934002",)),
    Statement("form:LOWT", "low amplitude t-wave"),
    Statement("form:ABQRS", "abnormal qrs"),
    Statement("form:LNGQT", "long qt interval", ("111975006",)),
    Statement("form:PRC(S)", "premature complexes"),
    Statement("form:NT", "non-specific t-wave changes"),
    Statement("form:STE", "st elevation", ("164931005",)),
    Statement("form:NST", "non-specific st changes"),
    Statement("form:PVC", "ventricular premature complex", ("427172004", "164884008", "17338001")),
    Statement("form:INVT", "inverted t-waves", ("59931005",)),
    Statement("form:LVOLT", "low qrs voltage", ("251146004",)),
    Statement("rhythm:SVARR", "supraventricular arrhythmia"),
    Statement("rhythm:BIGU", "bigeminal pattern", ("11157007",)),
    Statement("rhythm:STACH", "sinus tachycardia", ("427084000",)),
    Statement("rhythm:SARRH", "sinus arrhythmia", ("427393009",)),
    Statement("rhythm:SBRAD", "sinus bradycardia", ("426177001",)),
    Statement("rhythm:TRIGU", "trigeminal pattern"),
    Statement("rhythm:AFIB", "atrial fibrillation", ("164889003",)),
    Statement("rhythm:SR", "sinus rhythm", ("426783006",)),
    Statement("rhythm:SVTAC", "supraventricular tachycardia", ("426761007",)),
    Statement("rhythm:PSVT", "paroxysmal supraventricular tachycardia", ("67198005",)),
    Statement("rhythm:AFLT", "atrial flutter", ("164890007",)),
    Statement("rhythm:PACE", "artificial pacemaker rhythm", ("10370003",)),
)

BY_KEY: dict[str, Statement] = {s.key: s for s in STATEMENTS}
GROUPS: tuple[str, ...] = ("super_class", "sub_class", "form", "rhythm")


def keys() -> tuple[str, ...]:
    """All statement keys in the order of the encoder's outputs."""
    return tuple(s.key for s in STATEMENTS)


def of_group(group: str) -> tuple[Statement, ...]:
    """The statements of one group, in output order."""
    return tuple(s for s in STATEMENTS if s.group == group)
