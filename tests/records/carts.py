"""Writers of the formats of ECG carts and Holters, for the tests.

Deliberately naive, and written from the standards and published descriptions rather than
from ecglm's readers. `stored` is always int ``[lead, time]``, in steps of the format.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
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


# GE MUSE XML


def _muse_waveform(kind: str, stored: np.ndarray, leads: Sequence[str], fs: int, step_uv: float) -> str:
    rows = []
    for lead, row in zip(leads, stored, strict=True):
        raw = row.astype("<i2").tobytes()
        text = base64.encodebytes(raw).decode()  # lines of 76 characters, as MUSE breaks them
        rows.append(
            f"<LeadData><LeadByteCountTotal>{len(raw)}</LeadByteCountTotal><LeadTimeOffset>0</LeadTimeOffset>"
            f"<LeadSampleCountTotal>{len(row)}</LeadSampleCountTotal>"
            f"<LeadAmplitudeUnitsPerBit>{step_uv}</LeadAmplitudeUnitsPerBit>"
            f"<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{lead}</LeadID>"
            f"<LeadSampleSize>2</LeadSampleSize><LeadOff>FALSE</LeadOff>"
            f"<LeadDataCRC32>{zlib.crc32(raw)}</LeadDataCRC32><WaveFormData>\n{text}</WaveFormData></LeadData>"
        )
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><NumberofLeads>{len(leads)}</NumberofLeads>"
        f"<SampleBase>{fs}</SampleBase><SampleExponent>0</SampleExponent>{''.join(rows)}</Waveform>"
    )


def muse(
    stored: np.ndarray,
    leads: Sequence[str] = LEADS_8,
    fs: int = 500,
    step_uv: float = 4.88,
    beat: np.ndarray | None = None,
) -> str:
    """A GE MUSE export with demographics, edited and original measurements, and a diagnosis."""
    measured = (
        "<VentricularRate>{}</VentricularRate><PRInterval>138</PRInterval><QRSDuration>96</QRSDuration>"
        "<QTInterval>452</QTInterval><QTCorrected>403</QTCorrected><RAxis>20</RAxis>"
    )
    statements = (
        ("Sinus", ""), ("bradycardia", "ENDSLINE"), ("When compared with ECG of 10-JAN-2009 08:15,", "ENDSLINE"),
        ("Confirmed by SMITH, JOHN (123) on 1/2/2021", "ENDSLINE"),
    )  # fmt: skip
    diagnosis = "".join(
        f"<DiagnosisStatement>{f'<StmtFlag>{flag}</StmtFlag>' if flag else ''}<StmtText>{text}</StmtText></DiagnosisStatement>"
        for text, flag in statements
    )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG>'
        "<PatientDemographics><PatientID>9876</PatientID><PatientAge>67</PatientAge><AgeUnits>YEARS</AgeUnits>"
        "<Gender>FEMALE</Gender><PatientLastName>Doe</PatientLastName></PatientDemographics>"
        "<TestDemographics><AcquisitionDevice>MAC55</AcquisitionDevice><AcquisitionDate>02-03-2021</AcquisitionDate>"
        "<AcquisitionTime>14:15:16</AcquisitionTime></TestDemographics>"
        f"<RestingECGMeasurements>{measured.format(50)}</RestingECGMeasurements>"
        f"<OriginalRestingECGMeasurements>{measured.format(48)}</OriginalRestingECGMeasurements>"
        f"<Diagnosis>{diagnosis}</Diagnosis>"
        + (_muse_waveform("Median", beat, leads, fs, step_uv) if beat is not None else "")
        + _muse_waveform("Rhythm", stored, leads, fs, step_uv)
        + "</RestingECG>"
    )


# GE CardiologyXML


def _cardiology_strip(stored: np.ndarray, leads: Sequence[str], fs: int, step_uv: float) -> str:
    rows = "".join(
        f'<WaveformData lead="{lead}">\t\t{",".join(map(str, row))}\n</WaveformData>'
        for lead, row in zip(leads, stored.tolist(), strict=True)
    )
    return (
        f'<NumberOfLeads>{len(leads)}</NumberOfLeads><SampleRate units="Hz">{fs}</SampleRate>'
        f"<ChannelSampleCountTotal>{stored.shape[1]}</ChannelSampleCountTotal>"
        f'<Resolution units="uVperLsb">{step_uv}</Resolution>{rows}'
    )


def cardiology(
    stored: np.ndarray | None,
    leads: Sequence[str] = LEADS_12,
    fs: int = 500,
    step_uv: float = 5,
    beat: np.ndarray | None = None,
    disclosure: np.ndarray | None = None,
) -> str:
    """A CardioSoft export: strip, median beat with measurements, full disclosure in blocks of a second."""
    median = f"<MedianSamples>{_cardiology_strip(beat, leads, fs, step_uv)}</MedianSamples>" if beat is not None else ""
    full = ""
    if disclosure is not None:
        seconds = [disclosure[:, at : at + fs] for at in range(0, disclosure.shape[1], fs)]
        flat = ",".join(str(value) for second in seconds for row in second.tolist() for value in row)
        full = (
            f'<FullDisclosure><SampleRate units="Hz">{fs}</SampleRate><Resolution units="uVperLsb">{step_uv}</Resolution>'
            f"<LeadOrder>{','.join(leads)}</LeadOrder><FullDisclosureData>{flat}"
            f"<SampleCountTotal>{disclosure.size}</SampleCountTotal></FullDisclosureData></FullDisclosure>"
        )
    strip = f"<StripData>{_cardiology_strip(stored, leads, fs, step_uv)}</StripData>" if stored is not None else ""
    return (
        '<?xml version="1.0" encoding="ISO-8859-1" ?><CardiologyXML><ObservationType>RestECG</ObservationType>'
        "<ObservationDateTime><Hour>14</Hour><Minute>19</Minute><Second>39</Second>"
        "<Day>19</Day><Month>7</Month><Year>2018</Year></ObservationDateTime>"
        "<ClinicalInfo><DeviceInfo><Desc>CardioSoft</Desc></DeviceInfo></ClinicalInfo>"
        '<PatientInfo><PID>77</PID><Name><FamilyName>Doe</FamilyName></Name><Age units="YEARS">53</Age>'
        "<Gender>MALE</Gender></PatientInfo>"
        "<Interpretation><Diagnosis><DiagnosisText>Sinus bradycardia</DiagnosisText>"
        "<DiagnosisText>---</DiagnosisText></Diagnosis></Interpretation>"
        '<RestingECGMeasurements><VentricularRate units="BPM">50</VentricularRate><PQInterval units="ms">174</PQInterval>'
        f'<QTDispersion units="ms"></QTDispersion><RAxis units="degrees">55</RAxis>{median}</RestingECGMeasurements>'
        f"{strip}{full}</CardiologyXML>"
    )


# Philips Sierra XML


def lzw(data: bytes, code_bits: int = 10) -> bytes:
    """LZW with fixed-width codes, most significant bit first; the table stops growing one short of the end code."""
    end = (1 << code_bits) - 1
    table = {bytes((value,)): value for value in range(256)}
    codes = []
    held = b""
    for value in data:
        longer = held + bytes((value,))
        if longer in table:
            held = longer
            continue
        codes.append(table[held])
        if len(table) < end:
            table[longer] = len(table)
        held = bytes((value,))
    codes += [table[held], end] if held else [end]
    bits = "".join(f"{code:0{code_bits}b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def xli(rows: np.ndarray) -> bytes:
    """Leads as XLI chunks: second differences, bias 64, high bytes before low bytes, LZW."""
    out = b""
    for row in rows.tolist():
        differences = [2 * row[i - 1] - row[i - 2] - row[i] for i in range(2, len(row))]
        words = [*row[:2], *(d + 64 for d in differences[1:]), 0]
        packed = [word & 0xFFFF for word in words]
        body = lzw(bytes(w >> 8 for w in packed) + bytes(w & 0xFF for w in packed))
        out += len(body).to_bytes(4, "little") + (1).to_bytes(2, "little")
        out += differences[0].to_bytes(2, "little", signed=True) + body
    return out


def sierra(
    stored: np.ndarray,
    leads: Sequence[str] = LEADS_12,
    fs: int = 500,
    step_uv: float = 5,
    version: str = "1.04",
    packed: bool = True,
    beat: np.ndarray | None = None,
) -> str:
    """A Sierra XML document; XLI keeps residuals of III, aVR, aVL, aVF as the cart's software does."""
    rows = stored.copy()
    if packed:
        one, two, three, right, left, foot = (stored[i] for i in range(6))
        rows[2] = two - one - three
        rows[3] = -right - np.floor_divide(one + two, 2)
        rows[4] = np.floor_divide(one - three, 2) - left
        rows[5] = np.floor_divide(two + three, 2) - foot
    data = base64.encodebytes(xli(rows) if packed else rows.astype("<i2").tobytes()).decode()
    duration = stored.shape[1] * 1000 // fs
    beats = ""
    if beat is not None:
        texts = [base64.b64encode(row.astype("<i2").tobytes()).decode() for row in beat]
        new = version != "1.03"
        beats = '<repbeats dataencoding="Base64" samplespersec="1000" resolution="1.0">' + "".join(
            f'<repbeat leadname="{lead}"><qtint>399</qtint><waveform>{text}</waveform></repbeat>'
            if new
            else f'<repbeat leadname="{lead}" duration="300">{text}</repbeat>'
            for lead, text in zip(leads, texts, strict=True)
        )
        beats += "</repbeats>"
    if version == "1.03":
        attributes = f'compressflag="{packed}" compressmethod="{"XLI" if packed else "None"}" nbitspersample="16"'
        about = f"<signalresolution>{step_uv}</signalresolution>"
        measured = "<interpretationmeasurements><heartrate>41</heartrate><meanqtint>476</meanqtint></interpretationmeasurements>"
    else:
        attributes = (
            f'compression="{"XLI" if packed else "Uncompressed"}" numberofleads="{len(leads)}" '
            f'leadlabels="{" ".join(leads)}" samplespersecond="{fs}" resolution="{step_uv}" bitspersample="16"'
        )
        about = ""
        measured = "<globalmeasurements><heartrate>41</heartrate><qtint>476</qtint></globalmeasurements>"
    return (
        '<?xml version="1.0"?><restingecgdata xmlns="http://www3.medical.philips.com">'
        f"<documentinfo><documentversion>{version}</documentversion></documentinfo>"
        '<dataacquisition date="2011-12-01" time="07:27:34"><machine machineid="US1">PageWriter</machine>'
        f"<signalcharacteristics><samplingrate>{fs}</samplingrate>{about}<acquisitiontype>STD-12</acquisitiontype>"
        f"<numberchannelsallocated>{len(leads)}</numberchannelsallocated></signalcharacteristics></dataacquisition>"
        "<patient><generalpatientdata><patientid>42</patientid><name><lastname>Doe</lastname></name>"
        "<age><years>50</years></age><sex>Male</sex></generalpatientdata></patient>"
        f'<interpretations><interpretation date="2011-12-01" time="09:00:00"><severity>- NORMAL ECG -</severity></interpretation>'
        f'<interpretation date="2011-12-01" time="07:27:34">{measured}<mdsignatureline>Dr. House</mdsignatureline>'
        "<severity>- ABNORMAL ECG -</severity><statement><leftstatement>Sinus bradycardia</leftstatement>"
        "<rightstatement>rate&lt; 50</rightstatement></statement></interpretation></interpretations>"
        f'<waveforms><parsedwaveforms dataencoding="Base64" durationperchannel="{duration}" {attributes}>{data}'
        f"</parsedwaveforms>{beats}</waveforms></restingecgdata>"
    )


# ISHNE Holter


def ishne(
    stored: np.ndarray,
    codes: Sequence[int] = (6, 11, 0),
    fs: int = 200,
    step_nv: int = 2500,
    text: bytes = b"remark",
    total: bool = False,
) -> bytes:
    """An ISHNE Holter file; `total` states the samples of all leads together, as some writers do."""
    n_leads, n = stored.shape
    fixed = b"".join((
        struct.pack("<iiiih", len(text), n * n_leads if total else n, 522, 522 + len(text), 1),
        b"Jane".ljust(40, b"\0"), b"Doe".ljust(40, b"\0"), b"4711".ljust(20, b"\0"),
        struct.pack("<HH3H3H3H3H", 2, 1, 5, 3, 1960, 4, 3, 2021, 5, 3, 2021, 23, 59, 30),
        struct.pack("<H12h12h12hH", n_leads, *[*codes, *[-9] * 12][:12], *[0] * 12, *[step_nv] * 12, 0),
        b"Recorder 7".ljust(40, b"\0"), struct.pack("<H", fs), bytes(80 + 80 + 88),
    ))  # fmt: skip
    crc = binascii.crc_hqx(fixed + text, 0xFFFF)
    return b"ISHNE1.0" + struct.pack("<H", crc) + fixed + text + stored.T.astype("<i2").tobytes()
