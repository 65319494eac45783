"""DICOM: by PS3.15, but as an allow-list; planted texts in every kind of attribute do not survive."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ecglm.records import read
from ecglm.records.deidentify import Deidentified, Key, deidentify

from .planted import ALL, BORN, FIRST, KEY, MRN, NAME, SEEN, assert_clean, assert_same_signal

SAMPLE = Path(str(get_testdata_file("waveform_ecg.dcm")))
_LONG = {"PN": f"{NAME}^{FIRST}", "LO": ALL, "SH": MRN, "ST": ALL, "LT": ALL, "UT": ALL, "UC": ALL, "AE": NAME, "UR": f"http://{NAME}"}


def planted(folder: Path) -> Path:
    """pydicom's recording with a planted value in every text attribute of its dictionary, in private and nested ones too."""
    dataset = pydicom.dcmread(SAMPLE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tag, (vr, many, _, _, keyword) in pydicom.datadict.DicomDictionary.items():
            if keyword and vr in _LONG and tag >> 16 not in (0, 2, 4) and keyword not in dataset and "1" in many:
                dataset.add_new(tag, vr, _LONG[vr][:16] if vr in ("SH", "AE") else _LONG[vr])
        for element in dataset:
            if element.VR in _LONG and element.keyword:
                element.value = _LONG[element.VR][:16] if element.VR in ("SH", "AE") else _LONG[element.VR]
            elif element.VR == "DA":
                element.value = f"{SEEN:%Y%m%d}"
        dataset.PatientID, dataset.PatientBirthDate, dataset.PatientAge = MRN, f"{BORN:%Y%m%d}", "080Y"
        dataset.AcquisitionDateTime = f"{SEEN:%Y%m%d}105919.25+0100"
        item = Dataset()
        item.PatientName, item.CodeMeaning = NAME, ALL
        deep = Dataset()
        deep.OtherPatientIDsSequence = Sequence([item])
        private = deep.private_block(0x0029, "Maker 1", create=True)
        private.add_new(0x01, "UN", ALL.encode("utf-16-le"))
        dataset.RequestAttributesSequence = Sequence([deep])
        block = dataset.private_block(0x0011, NAME, create=True)
        block.add_new(0x10, "LO", ALL)
        dataset.add_new(0x60004000, "LT", ALL)  # overlay comments
        dataset.add_new(0x50000022, "LO", ALL)  # retired curve
        for group in dataset.WaveformSequence:
            group.WaveformData += ALL.encode() + b" " * (len(ALL) % 2)
            group.add_new(0x0011_0010, "LO", NAME)
            for channel in group.ChannelDefinitionSequence:
                channel.ChannelDerivationDescription = ALL
                channel.ChannelLabel = NAME
                channel.ChannelSourceSequence[0].CodeMeaning = ALL
        for annotation in dataset.WaveformAnnotationSequence[:2]:
            annotation.UnformattedTextValue = ALL
    dataset.preamble = ALL.encode().ljust(128, b" ")
    dataset.file_meta.SourceApplicationEntityTitle = NAME
    dataset.file_meta.ImplementationVersionName = MRN
    path = folder / f"{NAME}_{MRN}.dcm"
    dataset.save_as(path)
    return path


def test_nothing_planted_survives_and_the_samples_do(tmp_path: Path) -> None:
    source = planted(tmp_path)
    assert source.read_bytes().count(NAME.encode()) > 500
    report = deidentify(source, tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out", "642341", "Anonymous", "Galliera", "20130125")
    old, new = assert_same_signal(source, report.target)
    assert (old.meta.age, new.meta.age) == (80, 80)
    was, is_ = pydicom.dcmread(source), pydicom.dcmread(report.target)
    for before, after in zip(was.WaveformSequence, is_.WaveformSequence, strict=True):
        assert before.WaveformData.startswith(after.WaveformData)
    assert new.cart is not None
    assert old.cart is not None
    assert new.cart.measured() == old.cart.measured()
    np.testing.assert_array_equal(new.cart.median.signal, old.cart.median.signal)  # type: ignore[union-attr]
    assert_report_names(report)


def assert_report_names(report: Deidentified) -> None:
    assert report.removed["PatientID"] == report.removed["preamble"] == 1
    assert report.removed["RequestAttributesSequence/OtherPatientIDsSequence/PatientName"] == 1
    assert report.removed["RequestAttributesSequence/(0029,1001)"] == 1
    assert report.removed["WaveformSequence/ChannelDefinitionSequence/ChannelDerivationDescription"] == 24
    assert not any(text in str(report.to_dict()) for text in (NAME, MRN, FIRST))
    assert {"samples, byte for byte", "age", "sex"} <= set(report.kept)


def test_the_object_says_how_it_was_deidentified(tmp_path: Path) -> None:
    made = pydicom.dcmread(deidentify(SAMPLE, tmp_path).files[0].target)
    assert made.PatientIdentityRemoved == "YES"
    assert made.LongitudinalTemporalInformationModified == "MODIFIED"
    assert [code.CodeValue for code in made.DeidentificationMethodCodeSequence] == ["113100", "113107", "113108"]
    assert made.PatientName == made.PatientID
    assert made.PatientBirthDate == made.AccessionNumber == made.ReferringPhysicianName == ""
    assert made.preamble == bytes(128)
    assert not [element for element in made.iterall() if element.tag.is_private]
    assert made.SOPClassUID == pydicom.dcmread(SAMPLE).SOPClassUID
    assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID


def test_uids_and_dates_of_a_series_stay_together(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(SAMPLE)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.StudyDate, dataset.AcquisitionDateTime = "20130225", "20130225105919"
    dataset.save_as(tmp_path / "b.dcm")
    key = Key.random()
    targets = [deidentify(path, tmp_path / "out", key=key).files[0].target for path in (SAMPLE, tmp_path / "b.dcm")]
    one, two = map(pydicom.dcmread, targets)
    assert one.StudyInstanceUID == two.StudyInstanceUID != pydicom.dcmread(SAMPLE).StudyInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.PatientID == two.PatientID
    starts = [read(target).start for target in targets]
    assert (starts[1] - starts[0]).days == 31  # type: ignore[operator]


@pytest.mark.parametrize(("stated", "born", "age"), [
    ("089Y", "", 89), ("090Y", "", 90), ("104Y", "", 90), ("", "19130101", 90), ("006M", "", 0), ("", "", None),
])  # fmt: skip
def test_ages_over_89_are_one_and_an_age_of_dates_is_kept(tmp_path: Path, stated: str, born: str, age: int | None) -> None:
    dataset = pydicom.dcmread(SAMPLE)
    dataset.PatientAge, dataset.PatientBirthDate = stated, born
    dataset.save_as(tmp_path / "a.dcm")
    assert read(deidentify(tmp_path / "a.dcm", tmp_path / "out", key=KEY).files[0].target).meta.age == age


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_every_transfer_syntax(tmp_path: Path, syntax: str) -> None:
    dataset = pydicom.dcmread(SAMPLE)
    if syntax == "1.2.840.10008.1.2.2":
        for group in dataset.WaveformSequence:
            group.WaveformData = np.frombuffer(group.WaveformData, "<i2").astype(">i2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    written = Dataset(dataset)
    written.file_meta, written.preamble = dataset.file_meta, bytes(128)
    little = syntax != "1.2.840.10008.1.2.2"
    written.save_as(tmp_path / "s.dcm", implicit_vr=syntax == "1.2.840.10008.1.2", little_endian=little)
    _, new = assert_same_signal(tmp_path / "s.dcm", deidentify(tmp_path / "s.dcm", tmp_path / "out", key=KEY).files[0].target)
    np.testing.assert_array_equal(new.signal, read(SAMPLE).signal)
