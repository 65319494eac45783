"""What one statement says of another: a diagnosis belongs to a class, and neither stands without the other.

PTB-XL's classes are sums of their diagnoses (Wagner et al. 2020, 10.1038/s41597-020-0495-6): in folds 1-8 no diagnosis is
without its class. The encoder judges them one by one, so its probabilities may disagree; what both say together counts.
"""

from __future__ import annotations

from collections.abc import Mapping

_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "super_class:MI": ("sub_class:AMI", "sub_class:IMI", "sub_class:LMI", "sub_class:PMI"),
    "super_class:HYP": ("sub_class:LVH", "sub_class:RVH", "sub_class:SEHYP", "sub_class:LAO/LAE", "sub_class:RAO/RAE"),
    "super_class:CD": ("sub_class:CLBBB", "sub_class:CRBBB", "sub_class:ILBBB", "sub_class:IRBBB", "sub_class:LAFB/LPFB",
                       "sub_class:AVB", "sub_class:IVCD", "sub_class:WPW"),
    "super_class:STTC": ("sub_class:ISC", "sub_class:ISCI", "sub_class:ISCA", "sub_class:STTC", "form:DIG", "form:NDT",
                         "form:NST"),
}
#: Class of a diagnosis, and diagnoses of a class.
CLASS_OF: Mapping[str, str] = {member: whole for whole, members in _MEMBERS.items() for member in members}
MEMBERS = _MEMBERS


