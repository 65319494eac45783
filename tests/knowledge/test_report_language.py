"""In which language a report is, and how its abbreviations are read."""

from __future__ import annotations

import pytest

from ecglm.knowledge.report_language import abbreviated_in, language_of


@pytest.mark.parametrize(("text", "language"), [
    ("sinus rhythm. normal ecg.", "en"), ("sinusrhythmus lagetyp normal", "de"), ("sinusrytm vänster el-axel", "other"),
    ("xyz", "other")])
def test_the_language_is_told_by_common_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(("text", "language"), [
    ("Sinusrhythmus, normales EKG", "de"), ("sinus rhythm. normal ecg.", "en"), ("lvh", "en"),
    ("sinus tachycardia. otherwise normal ecg. Edit: ASMI möglich", "de")])
def test_one_german_word_is_enough_for_german_abbreviations(text: str, language: str) -> None:
    assert abbreviated_in(text) == language


def test_a_mixed_report_is_in_the_language_of_most_of_it() -> None:
    assert language_of("sinus tachycardia. otherwise normal ecg. Edit: ASMI möglich") == "en"
