"""Writers of the formats of ECG carts and Holters, for the tests.

Deliberately naive, and written from the standards and published descriptions rather than
from ecglm's readers. `stored` is always int ``[lead, time]``, in steps of the format.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEADS_8 = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
LEADS_12 = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def waves(n_leads: int = 12, n: int = 500, seed: int = 0, spread: int = 15) -> np.ndarray:
    """Smooth-ish random integers that a cart could have stored."""
    rng = np.random.default_rng(seed)
    return rng.integers(-spread, spread + 1, (n_leads, n)).cumsum(axis=1).clip(-3000, 3000)


# HL7 aECG


def _sequence_set(stored: np.ndarray, leads: Sequence[str], time: str, step_uv: float) -> str:
    rows = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}" codeSystem="2.16.840.1.113883.6.24"/>'
        f'<value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="{step_uv}" unit="uV"/>'
        f"<digits>{' '.join(map(str, row))}</digits></value></sequence></component>"
        for lead, row in zip(leads, stored.tolist(), strict=True)
    )
    return f"<component><sequenceSet><component><sequence>{time}</sequence></component>{rows}</sequenceSet></component>"


def _annotation(code: str, value: str, inner: str = "") -> str:
    return f'<component><annotation><code code="{code}"/>{value}{inner}</annotation></component>'


def aecg(
    stored: np.ndarray,
    leads: Sequence[str] = LEADS_12,
    fs: float = 500,
    step_uv: float = 2.5,
    beat: np.ndarray | None = None,
    extra: str = "",
) -> str:
    """An HL7 v3 aECG: one rhythm series, and with `beat` a derived representative beat with its annotations."""
    absolute = (
        '<code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS"><head value="20210304050607.500"/>'
        f'<increment value="{1 / fs:.10g}" unit="s"/></value>'
    )
    derived = ""
    if beat is not None:
        relative = (
            '<code code="TIME_RELATIVE"/><value xsi:type="GLIST_PQ"><head value="0" unit="ms"/>'
            f'<increment value="{1000 / fs:.10g}" unit="ms"/></value>'
        )
        annotations = (
            _annotation("MDC_ECG_BEAT", "", _annotation("MDC_ECG_TIME_PD_QT", '<value value="1" unit="ms"/>'))
            + _annotation("MDC_ECG_TIME_PD_PR", '<value xsi:type="PQ" value="0.148" unit="s"/>')
            + _annotation("MDC_ECG_TIME_PD_QT", '<value xsi:type="PQ" value="420" unit="ms"/>')
            + _annotation("MDC_ECG_ANGLE_QRS_FRONT", '<value xsi:type="PQ" value="-61" unit="deg"/>')
            + _annotation(
                "MDC_ECG_INTERPRETATION",
                "",
                _annotation("MDC_ECG_INTERPRETATION_STATEMENT", '<value xsi:type="ST">Sinus rhythm</value>')
                + _annotation("MDC_ECG_INTERPRETATION_STATEMENT", '<value xsi:type="ST">Confirmed by A. Smith</value>'),
            )
        )
        derived = (
            '<derivation><derivedSeries><code code="REPRESENTATIVE_BEAT"/>'
            f"{_sequence_set(beat, leads, relative, step_uv)}"
            f"<subjectOf><annotationSet>{annotations}</annotationSet></subjectOf></derivedSeries></derivation>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<effectiveTime><center value="20200101"/></effectiveTime>'
        "<subjectDemographicPerson><name>Jane Doe</name>"
        '<administrativeGenderCode code="F"/><birthTime value="19600305"/></subjectDemographicPerson>'
        '<component><series><code code="RHYTHM"/><author><seriesAuthor><manufacturedSeriesDevice>'
        "<manufacturerModelName>Model 1</manufacturerModelName></manufacturedSeriesDevice>"
        "<manufacturerOrganization><name>Maker</name></manufacturerOrganization></seriesAuthor></author>"
        f"{_sequence_set(stored, leads, absolute, step_uv)}{extra}{derived}</series></component></AnnotatedECG>"
    )
