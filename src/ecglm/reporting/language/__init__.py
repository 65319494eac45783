"""The languages of a report: every fixed text, name and phrase, in one table.

`Texts` has one field per text, so that a type checker and a test find what a language lacks. `Language` is what a report is
composed with. Text of the user, of the language model and of a file reader is quoted as it is, never translated.
"""

from ecglm.reporting.language.phrases import Language, language, languages
from ecglm.reporting.language.texts import Texts

__all__ = ["Language", "Texts", "language", "languages"]
